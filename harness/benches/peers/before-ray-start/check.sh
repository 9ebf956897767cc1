# Waits for what only the log or the dashboard of the head shows; chainsaw, kuttl and the script run it.
POD=$(kubectl get pods --namespace "$NAMESPACE" --selector ray.io/cluster=before-ray-start,ray.io/node-type=head --output name)
POD=${POD#pod/}
until kubectl logs --namespace "$NAMESPACE" "$POD" | grep -q "Ray runtime started."; do
  sleep 1
done
kubectl logs --namespace "$NAMESPACE" "$POD" | grep -qx "123 456"
