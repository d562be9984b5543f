/** What main and post cost in processor time where they wait for little, beside a bare Node. */
import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { makeSshKey } from '../../__tests__/support/ssh-keys.ts';
import { refuse, useAction } from '../use-action.ts';
import { stopwatch, takeTurns, type Round, type Way } from '../measure.ts';
import { loopback } from '../networks.ts';
import { figureOf, processor, wall, waysOf, type Figure, type Section } from '../results.ts';

/** The version for which the bounds were set. BEFORE=COMMIT names another one. */
const before = process.env['BEFORE'] ?? '80675f1';
const root = dirname(dirname(import.meta.dirname));
const run = promisify(execFile);

/** Unpacks the action as it was. @returns undefined if the clone does not have that commit */
function unpackBefore(folder: string): string | undefined {
  const target = join(folder, 'before');
  mkdirSync(target);
  try {
    const archive = execFileSync('git', ['archive', before, 'action.yml', 'dist', 'helper'], {
      ...{ cwd: root, maxBuffer: 1e9, stdio: ['ignore', 'pipe', 'ignore'] },
    });
    execFileSync('tar', ['-x', '-C', target], { input: archive });
    return target;
  } catch {
    return undefined;
  }
}

function figuresOf(rounds: readonly Round[], hasBefore: boolean): Record<string, Figure> {
  const by = (of: typeof wall, way: string, other: string): Figure =>
    figureOf(rounds, (round) => of(round, way) / of(round, other));
  return {
    'main, refused input / bare Node, processor': by(processor, 'main, refused input', 'bare Node'),
    'post / bare Node, processor': by(processor, 'post', 'bare Node'),
    'post / bare Node, wall': by(wall, 'post', 'bare Node'),
    ...(hasBefore && {
      'main / main before, processor': by(processor, 'main', 'main before'),
      'main / main before, wall': by(wall, 'main', 'main before'),
      'post / post before, processor': by(processor, 'post', 'post before'),
    }),
  };
}

export const load: Section = {
  name: 'load',
  title: 'What main and post load',
  about: `Processor time of the whole process, with the children that it waited for, on loopback. "refused input" reads the inputs and reports one error. "post" ends the agent of a job with one key. "before" is the action at commit ${before}, unpacked from git. A bare Node runs an empty CommonJS file.`,
  run: async ({ rounds, folder }) => {
    const [network, key] = await Promise.all([loopback(), makeSshKey()]);
    const watch = stopwatch(folder, process.execPath);
    const parameter = '/ci/deploy-key';
    network.world.put(parameter, key.privateKey);
    const empty = join(folder, 'empty.cjs');
    writeFileSync(empty, '');
    const old = unpackBefore(folder);
    const used =
      (action: string, suffix: string): Way =>
      async () => {
        const { main, post } = await useAction({ network, keys: parameter, action, watch });
        return { [`main${suffix}`]: main, [`post${suffix}`]: post };
      };
    const ways: Way[] = [
      async () => {
        await run(watch.path, [empty]);
        return { 'bare Node': watch.read() };
      },
      async () => ({
        'main, refused input': await refuse({
          ...{ network, keys: `${parameter} lifetime=1h`, action: root, watch },
        }),
      }),
      used(root, ''),
      ...(old === undefined ? [] : [used(old, ' before')]),
    ];
    try {
      const measured = await takeTurns(rounds, ways);
      const notRun = old === undefined ? [`the action before: this clone has no commit ${before}`] : [];
      return { ways: waysOf(measured), figures: figuresOf(measured, old !== undefined), notRun };
    } finally {
      await network.stop();
    }
  },
};
