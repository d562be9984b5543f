/** The process of the agent in front. It reads its order from standard input, answers with one line, and serves. */
import { writeSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { serveFront } from './front/serve-front.ts';

/** @returns the exit code, when the agent has ended */
export async function main(args: readonly string[]): Promise<number> {
  const { env, stdin, pid } = process;
  saveMemory();
  return await serveFront(args, {
    pid,
    signals: process,
    input: stdin,
    answer: (line) => writeSync(1, line),
    // The AWS SDK reads variables of the process. They are not in what the system shows of it.
    useEnv: (given) => {
      Object.assign(env, given, { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' });
    },
  });
}

/**
 * V8's optimizing compilers take 40 MB for the AWS SDK, and a signature takes the same time of the processor without
 * them. Not options of the command line: Node does not start with one that it does not know.
 */
function saveMemory(): void {
  for (const flag of ['--no-opt', '--no-maglev']) setFlagsFromString(flag);
}
