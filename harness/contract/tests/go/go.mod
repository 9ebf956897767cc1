module kuberay-conformance/contract/tests/go

go 1.22

require (
	github.com/google/shlex v0.0.0-20191202100458-e7afc7fbc510
	sigs.k8s.io/yaml v1.6.0
)

require go.yaml.in/yaml/v2 v2.4.2 // indirect
