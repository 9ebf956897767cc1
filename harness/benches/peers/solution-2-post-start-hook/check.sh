# Waits for what only the log or the dashboard of the head shows; chainsaw, kuttl and the script run it.
POD=$(kubectl get pods --namespace "$NAMESPACE" --selector ray.io/cluster=solution-2,ray.io/node-type=head --output name)
POD=${POD#pod/}
until kubectl get --raw "/api/v1/namespaces/$NAMESPACE/pods/$POD:8265/proxy/api/jobs/" 2>/dev/null | grep -q SUCCEEDED; do
  sleep 1
done
