"""Checks what the installed wheel says of itself, and which licences it contains."""

import importlib.metadata
import pathlib
import re
import sys

found = importlib.metadata.distribution("kuberay-conformance")
metadata = found.metadata
manifest = pathlib.Path("Cargo.toml").read_text(encoding="utf-8")
version = re.search(r'^version = "(.*)"$', manifest, re.MULTILINE).group(1)
problems = []


def check(holds, problem):
    if not holds:
        problems.append(problem)


check(found.version == version, f"the version is {found.version}, in Cargo.toml {version}")
check(metadata["Description-Content-Type"].startswith("text/markdown"), "the readme is not Markdown")
check("# kuberay-conformance" in found.read_text("METADATA"), "the readme is missing")
check(metadata["License-Expression"] == "Apache-2.0", "the licence is not Apache-2.0")
check(metadata.get_all("Classifier"), "there are no classifiers")
check(metadata.get_all("Project-URL"), "there are no URLs")

texts = {
    pathlib.Path(path).name: path.locate().read_text(encoding="utf-8")
    for path in found.files
    if "licenses" in path.parts
}
check("Apache License" in texts.get("LICENSE", ""), "LICENSE is missing")
notices = texts.get("THIRD-PARTY-NOTICES.txt", "")
for crate in ["tokio", "kube", "serde", "ring", "brush-parser"]:
    check(re.search(rf"^  {crate} \d", notices, re.MULTILINE), f"the notices lack {crate}")

for problem in problems:
    print(f"the wheel: {problem}", file=sys.stderr)
sys.exit(1 if problems else 0)
