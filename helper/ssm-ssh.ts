/** The part of ssm-ssh that thinks, and behind which AWS is: settings, keys that the agent does not have, and EC2 hosts. */
import { writeSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * @param file the bundle's
 * @returns the exit code
 */
export async function main(args: readonly string[], file: string): Promise<number> {
  const { env, stderr } = process;
  const io = {
    env,
    helper: join(dirname(file), '../../helper'),
    terminal: stderr.isTTY,
    tell: (text: string): void => {
      stderr.write(text);
    },
  };
  if (args[0] === 'choose') {
    const [{ choose }, { takeQuestion }] = await Promise.all([
      import('./commands/choose.ts'),
      import('./choose/question.ts'),
    ]);
    const question = takeQuestion(env);
    // All of it before the process ends, also where it is a pipe: process.stdout would make that one that is cut.
    const out = (text: string): void => {
      let left = Buffer.from(text);
      while (left.length > 0) left = left.subarray(writeSync(1, left));
    };
    return await choose(question, { ...io, out });
  }
  const [{ tunnel }, { stdioOfProcess }] = await Promise.all([
    import('./commands/tunnel.ts'),
    import('./stdio.ts'),
  ]);
  return await tunnel(args, {
    ...io,
    out: (text) => process.stdout.write(text),
    stdio: stdioOfProcess,
  });
}
