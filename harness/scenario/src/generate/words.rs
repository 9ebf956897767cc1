//! Texts that users write: words of commands, values of parameters, quantities, names.

use proptest::prelude::*;
use proptest::sample::select;

/// An element of `command` or `args`.
pub(super) fn word() -> BoxedStrategy<String> {
    let known = vec![
        "",
        " ",
        "echo hello",
        "echo 'single' \"double\" `id`",
        "echo $HOME ${HOME} $(id) $(RAY_PORT) $$",
        "(sleep 1&)",
        "sleep 1 &",
        "echo a;",
        "echo a # b",
        "echo a\n",
        "line one\nline two",
        "exit 3",
        "ray start",
        "echo before ray start after",
        "RAY START",
        "ray",
        "start",
        "ray  start",
        "bash",
        "-c",
        "--",
        "\t",
        "é世界🙂",
        "\\",
        "\\\"",
        "%s %d",
        "{\"a\": 1}",
        "&& ulimit -n 65536; ray  start --head",
        "  --block  --num-cpus=1 ",
    ];
    prop_oneof![
        6 => select(known).prop_map(str::to_owned),
        3 => "[ -~\\n\\t]{0,40}",
        1 => "\\PC{0,20}",
        1 => (1usize..4000).prop_map(|length| "x".repeat(length)),
    ]
    .boxed()
}

/// A value of a parameter.
pub(super) fn value() -> BoxedStrategy<String> {
    let known = vec![
        "true",
        "false",
        "True",
        "FALSE",
        "tRuE",
        "",
        "0",
        "1",
        "65536",
        "auto",
        "0.0.0.0",
        "$MY_POD_IP",
        "a b",
        "a  --b=c ",
        "'quoted'",
        "; echo x",
        "`id`",
        "é",
    ];
    prop_oneof![4 => select(known).prop_map(str::to_owned), 1 => "[ -~]{0,12}"].boxed()
}

/// A value of the parameter `resources`: JSON in the forms in which people write it, and what is no
/// JSON.
pub(super) fn resources() -> BoxedStrategy<String> {
    let known = vec![
        "{\"a\": 1}",
        "'{\"a\": 1, \"b\": 0.5}'",
        "\"{\\\"a\\\": 1}\"",
        "'{\"TPU\": 4}'",
        "'{\"neuron_cores\": 2}'",
        "'{\"a\": 1e21, \"b\": 1.50, \"c\": 1e-7}'",
        "'{\"a\": null}'",
        "'{\"a\": \"1\"}'",
        "'{\"a\": 1, \"a\": 2}'",
        "'{\"<&>\": 1}'",
        "{}",
        "",
        "''",
        " `{\"a\": 1}` ",
        "not json",
        "[1]",
    ];
    select(known).prop_map(str::to_owned).boxed()
}

/// An amount of CPU that a Pod may ask for.
pub(super) fn cpu() -> BoxedStrategy<&'static str> {
    select(vec![
        "1", "500m", "1500m", "0.1", "2.5", "1e1", "3000m", "0", "100m", ".5", "2.", "+1",
    ])
    .boxed()
}

/// An amount of memory.
pub(super) fn memory() -> BoxedStrategy<&'static str> {
    select(vec![
        "1Gi",
        "512Mi",
        "1G",
        "1.5Gi",
        "1e9",
        "123456789",
        "0.5Gi",
        "2Ti",
        "0",
        "1048576Ki",
        "3E",
    ])
    .boxed()
}

/// A number of devices, which must be whole.
pub(super) fn count() -> BoxedStrategy<&'static str> {
    select(vec!["1", "2", "8", "0", "4e0", "1k"]).boxed()
}

/// The value of an annotation that is read as a boolean.
pub(super) fn boolean() -> BoxedStrategy<&'static str> {
    select(vec!["true", "True", "TRUE", "false", "yes", "", " true"]).boxed()
}

/// The end of a name that may stand in a DNS label.
pub(super) fn tail() -> BoxedStrategy<String> {
    prop_oneof![
        3 => Just(String::new()),
        2 => "[a-z0-9-]{0,40}[a-z0-9]",
        2 => "[0-9-]{30,50}[a-z0-9]",
    ]
    .boxed()
}

/// The command of a RayJob.
pub(super) fn entrypoint() -> BoxedStrategy<String> {
    let known = vec![
        "python script.py",
        "python -c 'print(1)'",
        "echo a && echo b",
        "python script.py --name \"a b\"; exit 3",
        "bash -c \"echo $HOME\"",
        "echo 'single' \"double\" `id`",
        "sleep 1 &",
        "echo a # b",
        " echo a ",
        "echo a\\ b \"c\\\"d\" ''",
        "echo a\necho b",
        "echo é世界",
    ];
    select(known).prop_map(str::to_owned).boxed()
}

/// A runtime environment as YAML.
pub(super) fn runtime_env() -> BoxedStrategy<String> {
    let known = vec![
        "pip: [requests==2.26.0]\nenv_vars: {A: \"1\"}\n",
        "env_vars:\n  A: yes\n  B: \"no\"\n  C: on\n",
        "working_dir: https://example.com/a.zip?b=<c>&d='e'\n",
        "a: 010\nb: 0o10\nc: 0x1F\nd: 1_000\n",
        "a: 1.0\nb: 1e3\nc: 1e21\nd: .5\ne: 123456789012345678\n",
        "a: null\nb: ~\nc:\n",
        "a: 2001-12-14\nb: \"é\"\nc: |\n  x\n  y\n",
        "{\"z\": 1, \"a\": [true, false]}",
        "",
        "# nothing\n",
    ];
    select(known).prop_map(str::to_owned).boxed()
}
