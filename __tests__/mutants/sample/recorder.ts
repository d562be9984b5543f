/** A reporter of jest for the run without changes: which test file reaches which changes, and how long it takes. */
import { appendFileSync, readFileSync, statSync } from 'node:fs';
import { relative } from 'node:path';

interface Test {
  readonly path: string;
  readonly context: { readonly config: { readonly rootDir: string } };
}
interface Result {
  readonly numFailingTests: number;
  readonly testExecError?: unknown;
}

export default class Recorder {
  readonly #folder = process.env['MUTANTS_FOLDER'] ?? '';
  readonly #started = new Map<string, { readonly at: number; readonly from: number }>();

  onTestFileStart({ path }: Test): void {
    this.#started.set(path, { at: Date.now(), from: statSync(`${this.#folder}/reached`).size });
  }

  onTestFileResult({ path, context }: Test, { numFailingTests, testExecError }: Result): void {
    const { at = Date.now(), from = 0 } = this.#started.get(path) ?? {};
    const lines = readFileSync(`${this.#folder}/reached`).subarray(from).toString('utf8').trim().split('\n');
    // A program without the variable belongs to each test file that is running.
    const own = lines.map((line) => line.split(' ')).filter(([, by]) => by === path || by === '?');
    const entry = {
      file: relative(context.config.rootDir, path),
      passes: numFailingTests === 0 && !testExecError,
      seconds: (Date.now() - at) / 1000,
      reached: [...new Set(own.map(([id]) => Number(id)))],
    };
    appendFileSync(`${this.#folder}/baseline`, `${JSON.stringify(entry)}\n`);
  }
}
