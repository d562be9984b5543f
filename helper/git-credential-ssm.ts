/** git's credential helper: gather, call. */
import { writeSync } from 'node:fs';
import { buffer } from 'node:stream/consumers';
import { answerGit } from './commands/credential.ts';

/** @returns the exit code */
export async function main(args: readonly string[]): Promise<number> {
  const { env } = process;
  // As it was: what is set for the AWS SDK is not for git.
  const given = { ...env };
  // On Node 20 the AWS SDK would warn of a future that whoever runs this cannot change.
  env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';

  return await answerGit(args, {
    env: given,
    input: () => buffer(process.stdin),
    out: (text) => writeSync(1, text),
    err: (text) => writeSync(2, text),
  });
}
