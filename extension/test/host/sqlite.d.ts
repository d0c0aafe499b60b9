/** What the suite needs of a module that the editor's Node has and the typings have not yet. */
declare module 'node:sqlite' {
  export class DatabaseSync {
    constructor(path: string, options: { readOnly: boolean });
    prepare(sql: string): { all(): unknown[] };
    close(): void;
  }
}
