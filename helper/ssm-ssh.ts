/** The part of ssm-ssh behind which AWS is: for a key that the agent does not have, and for EC2 hosts. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * @param file the bundle's
 * @returns the exit code
 */
export async function main(args: readonly string[], file: string): Promise<number> {
  const { env, stdout, stderr } = process;
  const io = {
    env,
    terminal: stderr.isTTY,
    tell: (text: string): void => {
      stderr.write(text);
    },
  };
  if (args[0]?.startsWith('--')) {
    const { fetchKey, takeSettings } = await import('./commands/fetch.ts');
    const settings = takeSettings(env);
    return await fetchKey(args, { ...io, settings, agentIsUp: () => readFileSync(0, 'utf8') === 'up\n' });
  }
  const [{ tunnel }, { stdioOfProcess }] = await Promise.all([
    import('./commands/tunnel.ts'),
    import('./stdio.ts'),
  ]);
  return await tunnel(args, {
    ...io,
    out: (text) => stdout.write(text),
    helper: join(dirname(file), '../../helper'),
    stdio: stdioOfProcess,
  });
}
