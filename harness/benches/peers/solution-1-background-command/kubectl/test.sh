# The same with kubectl alone.
set -eu
export NAMESPACE="kubectl-test-$$"
kubectl create namespace "$NAMESPACE" >/dev/null
trap 'kubectl delete namespace "$NAMESPACE" >/dev/null' EXIT
kubectl apply --namespace "$NAMESPACE" --filename manifest.yaml >/dev/null
until [ -n "$(kubectl get pods --namespace "$NAMESPACE" --selector ray.io/cluster=solution-1,ray.io/node-type=head --output name)" ]; do
  sleep 1
done
field() { kubectl get pods --namespace "$NAMESPACE" --selector ray.io/cluster=solution-1,ray.io/node-type=head --output "jsonpath={.items[0].spec.containers[0].$1}"; }
[ "$(field command)" = '["/bin/bash","-c","--"]' ]
[ "$(field 'args[0]')" = ' (/home/ray/samples/ray_cluster_resources.sh&)  && ulimit -n 65536; ray start --head  --block  --dashboard-agent-listen-port=52365  --dashboard-host=0.0.0.0  --memory=2147483648  --metrics-export-port=8080  --num-cpus=1 ' ]
sh ./check.sh
echo "PASS solution-1-background-command"
