// Test-only: another extension, as Pylance is one: it offers an MCP server of its own through the editor, started by the label
// and the command in TTA_NEIGHBOUR, and a tool of its own.
const vscode = require('vscode');

exports.activate = (context) => {
  const [label, command, ...args] = JSON.parse(process.env.TTA_NEIGHBOUR);
  const server = new vscode.McpStdioServerDefinition(label, command, args);
  const count = ({ input }) => {
    const words = input.text.split(/\s+/).filter((word) => word !== '').length;
    return new vscode.LanguageModelToolResult([new vscode.LanguageModelTextPart(JSON.stringify({ words }))]);
  };
  context.subscriptions.push(
    vscode.lm.registerMcpServerDefinitionProvider('neighbour', { provideMcpServerDefinitions: () => [server] }),
    vscode.lm.registerTool('neighbour_count', { invoke: count }),
  );
};
