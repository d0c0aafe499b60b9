// A workbench with another extension in it that offers an MCP server of its own, as Pylance does.
import { scriptedModel } from './model.mjs';
import { settings } from './setup.mjs';
import { extensions, neighbour } from './vsix.mjs';
import { until, Workbench } from './workbench.mjs';

/**
 * Opens `folder` beside the neighbour, which offers `server`, [label, command, ...args], and waits until the editor has its `tool`.
 * Closed after the test `t`; `more` is for the workbench.
 */
export async function withNeighbour(t, { folder, server, tool, ...more }) {
  const model = await scriptedModel({ tool: 'none', args: {} });
  t.after(() => model.close());
  const workbench = await Workbench.open({
    folder,
    modelUrl: model.url,
    extensions: [...extensions, neighbour],
    settings: { ...settings, 'tta.approvals.calls': 'never' },
    env: { TTA_NEIGHBOUR: JSON.stringify(server) },
    ...more,
  });
  t.after(() => workbench.close());
  await workbench.statusWith('TTA: ready');
  await workbench.enableAgent();
  // The editor starts servers when they are first wanted; the command is its own.
  await workbench.inHost(
    `await vscode.commands.executeCommand('workbench.mcp.startServer', '*', { waitForLiveTools: true })`,
  );
  const name = JSON.stringify(`${server[0]}/${tool}`.toLowerCase());
  await until(`the tool ${name}`, () =>
    workbench.inHost(
      `return vscode.lm.tools.some(({ fullReferenceName }) => fullReferenceName?.toLowerCase() === ${name})`,
    ),
  );
  return workbench;
}
