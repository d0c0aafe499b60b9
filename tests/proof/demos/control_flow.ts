// Which of 40 commits raised the timeout over 60? Bisected, then remembered in the knowledge graph, checked, and written down.
import * as git from "servers/git";
import * as memory from "servers/memory";
import * as fs from "servers/fs";
import * as tta from "tta";

const repo_path = (tta.inputs as { folder: string }).folder;
const log = String(await git.git_log({ repo_path, max_count: 40 }));
const commits = [...log.matchAll(/[0-9a-f]{40}/g)].map(([id]) => id).reverse();
const timeoutAt = async (revision: string): Promise<number> => {
  const shown = String(await git.git_show({ repo_path, revision }));
  const found = /^\+timeout = (\d+)$/m.exec(shown);
  if (!found) throw new Error(`no timeout in ${revision}`);
  return Number(found[1]);
};
let [low, high] = [0, commits.length - 1];
while (low < high) {
  const middle = (low + high) >> 1;
  if ((await timeoutAt(commits[middle]!)) > 60) high = middle;
  else low = middle + 1;
}
const culprit = commits[low]!;
await memory.create_entities({
  entities: [{ name: "timeout regression", entityType: "finding", observations: [`introduced by ${culprit}`] }],
});
const { entities } = (await memory.search_nodes({ query: "timeout" })) as { entities: unknown[] };
if (entities.length !== 1) throw new Error("the finding was not kept");
await fs.write_file({ path: "finding.md", content: `The timeout went over 60 in ${culprit}.\n` });
export default { commits: commits.length, culprit, timeout: await timeoutAt(culprit) };
