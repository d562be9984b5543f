/** The command line program: gather, call. */
import { writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isatty } from 'node:tty';
import { stdioOfProcess } from './stdio.ts';
import { run } from './command-line/program.ts';

/**
 * @param file the bundle's
 * @returns the exit code
 */
export async function main(args: readonly string[], file: string): Promise<number> {
  const { env, execPath } = process;
  // As it was: what is set for the AWS SDK is not for the programs that are started.
  const given = { ...env };
  // On Node 20 the AWS SDK would warn of a future that whoever runs this cannot change.
  env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';

  return await run(args, {
    env: given,
    out: (text) => writeSync(1, text),
    err: (text) => writeSync(2, text),
    signals: process,
    stdio: stdioOfProcess,
    terminal: [0, 1, 2].some((descriptor) => isatty(descriptor)),
    installation: join(dirname(file), '../..'),
    node: execPath,
    useProfile: (name) => {
      env['AWS_PROFILE'] = name;
      // With both, the AWS SDK prints a warning of its own.
      delete env['AWS_ACCESS_KEY_ID'];
      delete env['AWS_SECRET_ACCESS_KEY'];
      delete env['AWS_SESSION_TOKEN'];
    },
  });
}
