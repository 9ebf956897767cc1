//! Clusters: providers that bring a Kubernetes cluster up and take down what they made.
