/** A copy of the tree with all changes of the sample behind switches, and its bundles. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Selection } from '../../support/suite/selection.ts';
import { changed } from '../changes.ts';
import { trackedFiles, type Drawn } from './draw.ts';
import { withSwitches } from './switches.ts';

interface JestRun {
  readonly args: readonly string[];
  /** Seconds. */
  readonly limit: number;
  readonly selection?: Selection;
  readonly isRecording?: boolean;
}

export interface JestEnd {
  /** Undefined: it took too long, and was ended. */
  readonly status: number | null | undefined;
  readonly output: string;
}

const switchFile = 'src/active-mutant.ts';

/** Written by `build`, and not what git has. */
const ownFiles =
  /^(dist\/|(src|helper)\/.*\.ts$|build\/tsconfig\.json$|__tests__\/support\/suite\/start-nothing\.ts$)/;

export class Tree {
  readonly #folder: string;
  readonly #isKept: boolean;
  readonly root: string;
  readonly #modules: string;
  #running: ChildProcess | undefined;

  /** @param keep the folder of a tree that is not removed; one that is there already is used again */
  constructor(from: string, keep?: string) {
    this.#isKept = keep !== undefined;
    if (keep !== undefined) mkdirSync(keep, { recursive: true });
    this.#folder = realpathSync(keep ?? mkdtempSync(join(tmpdir(), 'mutants-')));
    this.root = join(this.#folder, 'tree');
    this.#modules = join(from, 'node_modules');
    // Other users start programs in it.
    chmodSync(this.#folder, 0o755);
    for (const file of trackedFiles(from))
      if (!this.isBuilt || !ownFiles.test(file)) cpSync(join(from, file), join(this.root, file));
    this.activate('off');
    if (this.isBuilt) return;
    symlinkSync(this.#modules, join(this.root, 'node_modules'));
    // Some tests ask git for the files of the project.
    execFileSync('git', ['init', '-q'], { cwd: this.root });
    execFileSync('git', ['add', '--all'], { cwd: this.root });
    mkdirSync(join(this.#folder, 'cache'));
  }

  get isBuilt(): boolean {
    return existsSync(join(this.#folder, 'built'));
  }

  /** Writes the files of all TypeScript changes with switches, and builds the bundles. */
  build(changes: readonly Drawn[]): void {
    for (const file of new Set(changes.map((change) => change.file).filter((name) => name.endsWith('.ts')))) {
      const path = join(this.root, file);
      const from = relative(dirname(file), switchFile);
      const own = changes.filter((change) => change.file === file);
      const text = withSwitches(readFileSync(path, 'utf8'), own, from.startsWith('.') ? from : `./${from}`);
      writeFileSync(path, text);
    }
    const text = readFileSync(join(import.meta.dirname, 'active-mutant.ts'), 'utf8');
    writeFileSync(join(this.root, switchFile), text.replace("'FOLDER'", JSON.stringify(this.#folder)));
    // The switches are not what the types say.
    const config = join(this.root, 'build/tsconfig.json');
    writeFileSync(
      config,
      readFileSync(config, 'utf8').replace('"noEmit": false', '"noEmit": false, "noCheck": true'),
    );
    const setUp = join(this.root, '__tests__/support/suite/start-nothing.ts');
    writeFileSync(
      setUp,
      `${readFileSync(setUp, 'utf8')}
if (process.env['MUTANTS_RECORD'] !== undefined) {
  (globalThis as { testFile?: string }).testFile = testPath;
  process.env['MUTANTS_TEST'] = testPath;
}\n`,
    );
    execFileSync(process.execPath, ['--disable-warning=DEP0187', 'build/write-dist.ts'], {
      cwd: this.root,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    this.#write('built', '');
  }

  activate(change: Drawn | 'off' | 'record'): void {
    if (typeof change === 'string' || change.file.endsWith('.ts')) {
      this.#write('active', typeof change === 'string' ? change : String(change.id));
      return;
    }
    const path = join(this.root, change.file);
    writeFileSync(path, changed(readFileSync(path, 'utf8'), change));
  }

  restore(change: Drawn, from: string): void {
    if (change.file.endsWith('.ts')) this.activate('off');
    else writeFileSync(join(this.root, change.file), readFileSync(join(from, change.file)));
  }

  /** Runs tests without a change. Gives a line of JSON for each file, as recorder.ts writes it. */
  async record(files: readonly string[]): Promise<string[]> {
    this.#write('reached', '');
    this.#write('baseline', '');
    this.activate('record');
    const recorder = join(this.root, '__tests__/mutants/sample/recorder.ts');
    const args = ['--reporters', recorder, '--silent'];
    const { output } = await this.jest(files, { args, limit: 6 * 3600, isRecording: true });
    this.activate('off');
    const lines = readFileSync(join(this.#folder, 'baseline'), 'utf8').split('\n').filter(Boolean);
    if (lines.length === 0) throw new Error(`no test ran:\n${output}`);
    return lines;
  }

  async jest(
    files: readonly string[],
    { args, limit, selection = 'usual', isRecording = false }: JestRun,
  ): Promise<JestEnd> {
    const jest = join(this.#modules, 'jest/bin/jest.js');
    const own = join(this.root, '__tests__/mutants/sample');
    const options = [
      `--cacheDirectory=${this.#folder}/cache`,
      `--testSequencer=${own}/in-order.ts`,
      '--maxWorkers=2',
    ];
    const child = spawn(
      process.execPath,
      ['--no-warnings', '--experimental-vm-modules', jest, ...options, ...args, '--runTestsByPath', ...files],
      {
        cwd: this.root,
        detached: true,
        stdio: ['ignore', 'ignore', 'pipe'],
        env: {
          ...process.env,
          TESTS: selection,
          MUTANTS_ORDER: files.join('\n'),
          MUTANTS_FOLDER: this.#folder,
          ...(isRecording && { MUTANTS_RECORD: '1' }),
        },
      },
    );
    this.#running = child;
    let output = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
    const ended = once(child, 'exit') as Promise<[number | null]>;
    const late = new AbortController();
    const end = await Promise.race([ended, sleep(limit * 1000, undefined, { signal: late.signal })]);
    this.#endTests();
    late.abort();
    const [status] = await ended;
    // What it has printed can come after its end.
    await sleep(100);
    this.#running = undefined;
    return { status: end === undefined ? undefined : status, output };
  }

  remove(): void {
    this.#endTests();
    if (!this.#isKept) rmSync(this.#folder, { recursive: true, force: true });
  }

  /** The suite's watchdog ends what the tests have started. */
  #endTests(): void {
    const pid = this.#running?.pid;
    if (pid === undefined) return;
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // It has ended.
    }
  }

  #write(name: string, text: string): void {
    const path = join(this.#folder, name);
    writeFileSync(path, text);
    chmodSync(path, 0o666);
  }
}
