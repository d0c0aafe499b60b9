/** What the bundler takes in as text: the tool set's own files. */

declare module '*.md' {
  const text: string;
  export default text;
}

declare module '*.jsonc' {
  const text: string;
  export default text;
}
