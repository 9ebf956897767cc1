"""Prints the options of `ray start` and `ray job submit` that a wheel of Ray declares, as JSON.

    python3 read.py ray-2.52.0-cp310-cp310-manylinux2014_x86_64.whl

The source is read with `ast` and never imported. Whatever this script does not understand is an error, so that the
table never lacks an option silently.
"""

import ast
import hashlib
import json
import sys
import zipfile

COMMANDS = {
    "start": ("ray/scripts/scripts.py", "start"),
    "submit": ("ray/dashboard/modules/job/cli.py", "submit"),
}
SHARED = ["ray/autoscaler/_private/cli_logger.py", "ray/dashboard/modules/job/cli_utils.py"]
CONSTANTS = "ray/_private/ray_constants.py"

# Decorators that add no options.
NO_OPTIONS = {"PublicAPI", "DeveloperAPI", "Deprecated", "argument", "command", "pass_context", "wraps"}

# Functions that read an option's text, and the type that they make of it.
READERS = {
    "parse_resources_json": {"object"},
    "parse_metadata_json": {"object"},
    "parse_node_labels_json": {"labels-json"},
    "parse_node_labels_string": {"labels"},
}

TYPES = {"int": "int", "float": "float", "str": "text", "bool": "bool"}


def name_of(node):
    """The last part of a name: `option` for `click.option`."""
    if isinstance(node, ast.Call):
        return name_of(node.func)
    return node.attr if isinstance(node, ast.Attribute) else node.id


def is_option(node):
    return isinstance(node, ast.Call) and ast.unparse(node.func) == "click.option"


def constant(node, constants):
    """The value of a literal or of a constant of Ray's; KeyError where it has none that can be read."""
    if isinstance(node, ast.Constant):
        return node.value
    return constants[name_of(node)]


def type_of(words, constants):
    """The type of an option that takes a value."""
    given = words.get("type")
    if given is None:
        try:
            default = constant(words["default"], constants) if "default" in words else None
        except (KeyError, AttributeError):
            # A default that Ray computes; a text is what nothing is said about.
            return "text"
        if default is None:
            return "text"
        return TYPES[type(default).__name__]
    if isinstance(given, ast.Name) and given.id in TYPES:
        return TYPES[given.id]
    if ast.unparse(given) == "json.loads":
        return "json"
    name = name_of(given)
    if name == "Choice":
        choices = given.args[0]
        if isinstance(choices, ast.List):
            return "choice:" + "|".join(constant(choice, constants) for choice in choices.elts)
        return "choice:" + "|".join(constant(choices, constants))
    if name in ("Path", "BoolOrStringParam"):
        return "text"
    sys.exit(f"unknown type {ast.unparse(given)}")


def words_of(node):
    """The attributes of a class that hold nothing but texts, each with its texts."""
    for statement in node.body:
        if not isinstance(statement, ast.Assign) or not isinstance(statement.value, (ast.Tuple, ast.List)):
            continue
        words = [word.value for word in statement.value.elts if isinstance(word, ast.Constant)]
        if len(words) == len(statement.value.elts) and all(isinstance(word, str) for word in words):
            yield from ((target.id, words) for target in statement.targets)


def option(call, constants):
    words = {word.arg: word.value for word in call.keywords}
    names = [argument.value for argument in call.args if argument.value.startswith("-")]
    if any("/" in name for name in names):
        sys.exit(f"an option with an opposite: {names}")
    flag = "is_flag" in words and constant(words["is_flag"], constants)
    count = "count" in words and constant(words["count"], constants)
    for unknown in ("multiple", "nargs", "flag_value", "callback"):
        if unknown in words:
            sys.exit(f"{names} has {unknown}")
    kind = "flag" if flag or count else "value"
    return {"names": names, "kind": kind, "type": "-" if kind == "flag" else type_of(words, constants)}


def within(node, trees):
    """The option calls in a function or in the lists of options that it names."""
    calls = [inner for inner in ast.walk(node) if is_option(inner)]
    names = {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}
    for tree in trees:
        for statement in tree.body:
            if isinstance(statement, ast.Assign) and any(
                isinstance(target, ast.Name) and target.id in names for target in statement.targets
            ):
                calls += [inner for inner in ast.walk(statement) if is_option(inner)]
    return calls


def readers(function):
    """What reads the arguments of a command, by the argument's name; more than one where one is a fallback."""
    found = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in READERS:
            name = node.args[0].id
            found[name] = found.get(name, set()) | READERS[node.func.id]
    return {name: "|".join(sorted(types)) for name, types in found.items()}


def read(command, trees, constants):
    path, name = COMMANDS[command]
    functions = [node for node in trees[path].body if isinstance(node, ast.FunctionDef) and node.name == name]
    if len(functions) != 1:
        sys.exit(f"{path} has {len(functions)} functions {name}")
    function = functions[0]
    calls = []
    for decorator in function.decorator_list:
        if is_option(decorator):
            calls.append(decorator)
            continue
        called = name_of(decorator)
        if called in NO_OPTIONS:
            continue
        sources = [
            node
            for tree in trees.values()
            for node in tree.body
            if isinstance(node, ast.FunctionDef) and node.name == called
        ]
        if len(sources) != 1:
            sys.exit(f"no source of the decorator {called}")
        calls += within(sources[0], trees.values())
    options = [option(call, constants) for call in calls]
    known = readers(function)
    for one in options:
        argument = one["names"][0].lstrip("-").replace("-", "_")
        if argument in known and one["type"] == "text":
            one["type"] = known[argument]
    return options


def main(path):
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    trees = {}
    constants = {}
    with zipfile.ZipFile(path) as wheel:
        held = set(wheel.namelist())
        for source in [path for path, _ in COMMANDS.values()] + SHARED:
            if source in held:
                trees[source] = ast.parse(wheel.read(source))
        for statement in ast.parse(wheel.read(CONSTANTS)).body:
            if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Constant):
                constants |= {target.id: statement.value.value for target in statement.targets}
    for node in [node for tree in trees.values() for node in tree.body if isinstance(node, ast.ClassDef)]:
        constants |= dict(words_of(node))
    commands = {command: read(command, trees, constants) for command in COMMANDS}
    print(json.dumps({"sha256": digest, **commands}))


main(sys.argv[1])
