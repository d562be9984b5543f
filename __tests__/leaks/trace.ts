/** The system calls of a program and of everything that it starts, by strace: where its bytes go. */
import { execFileSync } from 'node:child_process';
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { unescaped } from '../support/unescaped.ts';
import type { Channel } from './secrets.ts';

/** Calls with names of files and sockets, started programs, and all that sends or receives. */
const calls = [
  ...['%file', '%network', 'read', 'readv', 'write', 'writev', 'pwrite64', 'pwritev', 'pwritev2'],
  ...['prctl', 'memfd_create', 'splice', 'sendfile', 'copy_file_range'],
];
const format = ['-f', '-q', '-v', '-yy', '-xx', '-s', '200000', '-e', `trace=${calls.join()}`];

/** Its path, because some programs run with a PATH without it. */
const strace = (): string => execFileSync('sh', ['-c', 'command -v strace'], { encoding: 'utf8' }).trim();

/** The words in front of a program. strace is no parent of it: agents that it starts run longer than the program. */
export const tracing = (file: string): string[] => [strace(), '-DDD', ...format, '-o', file];

/** A `node` that runs the real one under strace. @returns its path; the traces are files of the folder */
export function tracedNode(folder: string): string {
  const node = join(folder, 'node');
  // No shell: dash would drop the variables of inputs, whose names have hyphens.
  const script = `const [, , ...rest] = process.argv;
    const trace = ${JSON.stringify(join(folder, 'trace-'))} + process.pid;
    const args = ['-DDD', ...${JSON.stringify(format)}, '-o', trace, ${JSON.stringify(process.execPath)}, ...rest];
    process.exit(require('node:child_process').spawnSync(${JSON.stringify(strace())}, args, { stdio: 'inherit' }).status);`;
  writeFileSync(node, `#!${process.execPath}\n${script}\n`);
  chmodSync(node, 0o755);
  return node;
}

export interface Call {
  /** undefined: bytes come in. */
  readonly to: Channel | undefined;
  readonly text: string;
  /** The start of the traced program itself, by its caller. */
  readonly isFirst: boolean;
}

/** @param folder of the traces */
export function readTraces(folder: string): Call[] {
  const names = readdirSync(folder).filter((name) => name.startsWith('trace'));
  return names.flatMap((name) => {
    const lines = readFileSync(join(folder, name), 'latin1').split('\n').filter(Boolean);
    return lines.map((line, at) => ({
      to: channelOf(line),
      // The runner hides what stands in such a line, from then on.
      text: unescaped(line).replace(/::add-mask::[^\n"]*/g, ''),
      isFirst: at === 0,
    }));
  });
}

/**
 * The descriptor of a call, as `-yy` shows it: `1<pipe:[12]>`, `3<TCP:[…->127.0.0.1:80]>`, `4<UNIX-STREAM:[…]>`. If another
 * process was faster, a line has the beginning of a call, and a later one, `<... read resumed>`, its end.
 */
function channelOf(line: string): Channel | undefined {
  const [, name = '', descriptor = '', hex = ''] =
    /^(?:\d+ +)?(?:<\.\.\. )?(\w+)(?:\((\d*)(?:<([^>]*))?)?/.exec(line) ?? [];
  const kind = unescaped(hex);
  if (/^(read|readv|recv\w*|accept4?|getsockopt|getpeername|getsockname)$/.test(name)) return undefined;
  if (name === 'execve') return 'start';
  if (!/^(write|writev|pwrite\w*|send\w*|splice|sendfile|copy_file_range)$/.test(name)) return 'name';
  if (kind.endsWith('/traced.out')) return 'stdout';
  if (kind.endsWith('/traced.err')) return 'stderr';
  if (kind.startsWith('/') && !kind.startsWith('/dev/')) return 'file';
  if (descriptor === '1') return 'stdout';
  if (descriptor === '2') return 'stderr';
  if (/^(TCP|UDP)/.test(kind)) return 'server';
  if (kind.startsWith('UNIX')) return 'agent';
  return kind.startsWith('pipe:') ? 'pipe' : 'other';
}
