/** The Node part of ssm-ssh: reads settings, loads missing keys, and connects to EC2 hosts. */
import { dirname, join } from 'node:path';
import { writeError, writeOutput } from './write-text.ts';

/**
 * @param file the path of the bundle
 * @returns the exit code
 */
export async function main(args: readonly string[], file: string): Promise<number> {
  const { env, stderr } = process;
  const io = {
    env,
    helper: join(dirname(file), '../../helper'),
    terminal: stderr.isTTY,
    tell: writeError,
  };
  if (args[0] === 'choose') {
    const [{ choose }, { takeQuestion }] = await Promise.all([
      import('./commands/choose.ts'),
      import('./choose/question.ts'),
    ]);
    const question = takeQuestion(env);
    return await choose(question, { ...io, out: writeOutput });
  }
  if (args[0] === 'host-key') {
    const { explainFailure } = await import('./commands/host-key.ts');
    return await explainFailure(args.slice(1), io);
  }
  const [{ tunnel }, { stdioOfProcess }] = await Promise.all([
    import('./commands/tunnel.ts'),
    import('./stdio.ts'),
  ]);
  return await tunnel(args, {
    ...io,
    out: writeOutput,
    stdio: stdioOfProcess,
  });
}
