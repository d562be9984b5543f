/** A mount namespace of a row's own: nobody else sees what is mounted there, and it ends with its holder. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

export interface Ended {
  /** 128 and the signal's number if a signal ended it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly milliseconds: number;
}

export interface Running {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Milliseconds, after which it is killed. */
  readonly patience?: number;
}

export class Namespace {
  readonly #holder: ChildProcess;

  private constructor(holder: ChildProcess) {
    this.#holder = holder;
  }

  /** @param mounts a script of sh */
  static async open(mounts: string): Promise<Namespace> {
    const script = `set -e; ${mounts}\necho mounted; exec sleep 3600`;
    const holder = spawn('unshare', ['--mount', 'sh', '-c', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const mounted = await Promise.race([
      once(holder.stdout, 'data').then(() => true),
      once(holder, 'exit').then(() => false),
    ]);
    if (!mounted) throw new Error(`cannot mount: ${mounts}`);
    return new Namespace(holder);
  }

  /** The arguments that start the program in the namespace, in this folder. */
  argv(cwd: string, program: readonly string[]): string[] {
    const mount = `--mount=/proc/${String(this.#holder.pid)}/ns/mnt`;
    return ['nsenter', mount, 'bash', '-c', 'cd "$0" && exec "$@"', cwd, ...program];
  }

  async run(program: readonly string[], { cwd, env, patience = 60_000 }: Running): Promise<Ended> {
    const [file = '', ...args] = this.argv(cwd, program);
    const started = performance.now();
    const child = spawn(file, args, { env, cwd: '/', stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const timer = setTimeout(() => process.kill(-(child.pid ?? 0), 'SIGKILL'), patience);
    // Programs that outlive this one must not keep its pipes.
    const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
    clearTimeout(timer);
    const milliseconds = Math.round(performance.now() - started);
    return { code: code ?? (signal === 'SIGKILL' ? 137 : 128), stdout, stderr, milliseconds };
  }

  close(): void {
    this.#holder.kill('SIGKILL');
  }
}
