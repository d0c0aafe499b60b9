"""Public task sets as lines of JSON that `tta bench tokens` replays: each task's calls, by turns of the user, as the task set
itself says they are right, and for each turn one program that makes the same calls and returns all their answers.

`suites.py SUITE [--limit N]` with the suites bfcl_base, bfcl_long, tau2_retail, tau2_airline. No model is involved: what is
compared are two ways of making calls that are known to be right. The program computes nothing, filters nothing and loops
over nothing, so that it is the least that a program saves.
"""

import argparse
import ast
import json
import keyword
import re
from importlib.resources import files

from bfcl_server import definitions


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("suite", choices=SUITES)
    parser.add_argument("--limit", type=int)
    arguments = parser.parse_args()
    for number, task in enumerate(SUITES[arguments.suite]()):
        if number == arguments.limit:
            break
        print(json.dumps(task))


def bfcl(name, long_context):
    data = files("bfcl_eval") / "data"
    questions = _lines(data / f"BFCL_v4_multi_turn_{name}.json")
    answers = _lines(data / "possible_answer" / f"BFCL_v4_multi_turn_{name}.json")
    for question, answer in zip(questions, answers, strict=True):
        owners = {
            tool.name: (_server(class_name), list(tool.input_schema["properties"]))
            for class_name in question["involved_classes"]
            for tool in definitions(class_name)
        }
        turns = [[_bfcl_call(text, owners) for text in turn] for turn in answer["ground_truth"]]
        scenario = {"task": question["id"], "long_context": long_context, "config": question["initial_config"]}
        yield _task(question["id"], scenario, turns)


def _bfcl_call(text, owners):
    """A call as the task set writes it, such as `mv('a', destination='b')`."""
    call = ast.parse(text, mode="eval").body
    server, parameters = owners[call.func.id]
    given = dict(zip(parameters, map(ast.literal_eval, call.args)))
    given |= {it.arg: ast.literal_eval(it.value) for it in call.keywords}
    return {"server": server, "tool": call.func.id, "arguments": given}


def tau2(domain):
    tasks = json.loads((files("inspect_evals") / "tau2" / "data" / "domains" / domain / "tasks.json").read_text())
    for task in tasks:
        actions = task["evaluation_criteria"]["actions"] or []
        calls = [
            {"server": domain, "tool": it["name"], "arguments": it["arguments"]}
            for it in actions
            if it.get("requestor", "assistant") == "assistant"
        ]
        if calls:
            yield _task(f"{domain}_{task['id']}", {"task": task["id"]}, [calls])


def _task(name, scenario, turns):
    turns = [calls for calls in turns if calls]
    return {"task": name, "scenario": scenario, "turns": [{"calls": it, "program": _program(it)} for it in turns]}


def _program(calls):
    """What a model would write to make the calls one after the other."""
    tools = {}
    for call in calls:
        tools.setdefault(call["server"], {})[call["tool"]] = None
    imports = [f"from servers.{server} import {', '.join(names)}" for server, names in tools.items()]
    made = [f"await {it['tool']}({_arguments(it['arguments'])})" for it in calls]
    return "\n".join([*imports, f"[{', '.join(made)}]"])


def _arguments(given):
    if all(name.isidentifier() and not keyword.iskeyword(name) for name in given):
        return ", ".join(f"{name}={value!r}" for name, value in given.items())
    return repr(given)


def _server(class_name):
    """The name of a class's server, which is its module's too: `GorillaFileSystem` is `gorilla_file_system`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", class_name).lower()


def _lines(path):
    return [json.loads(line) for line in path.read_text().splitlines() if line.strip()]


SUITES = {
    "bfcl_base": lambda: bfcl("base", False),
    "bfcl_long": lambda: bfcl("long_context", True),
    "tau2_retail": lambda: tau2("retail"),
    "tau2_airline": lambda: tau2("airline"),
}

if __name__ == "__main__":
    main()
