/** The entry of git's credential helper. */
import { buffer } from 'node:stream/consumers';
import { answerGit } from './commands/credential.ts';
import { writeError, writeOutput } from './write-text.ts';

/** @returns the exit code */
export async function main(args: readonly string[]): Promise<number> {
  const { env } = process;
  // A copy without the AWS SDK's variable below, for git.
  const given = { ...env };
  // On Node 20 the AWS SDK prints a warning that the user cannot act on.
  env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';

  return await answerGit(args, {
    env: given,
    input: () => buffer(process.stdin),
    out: writeOutput,
    err: writeError,
  });
}
