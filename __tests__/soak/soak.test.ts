/** A short version of `npm run soak -- --minutes N`: mixed use of one host and of jobs, with trouble. */
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect } from '@jest/globals';
import { stateIsOurs } from '../support/ec2-host.ts';
import { describeWhere } from '../support/needs.ts';
import { it, itInRest } from '../support/parts.ts';
import { SoakStage, type Sample } from './soak-stage.ts';

const long = Number(process.env['SOAK_SECONDS'] ?? 40);

describeWhere(stateIsOurs, 'a host needs root, or no /run/user/UID')('mixed use', () => {
  const stage = new SoakStage();
  beforeAll(() => stage.open());
  afterAll(() => stage.close());

  /** One round of everything. Keys expire meanwhile; some rounds rotate a key, disturb AWS, and cut a tunnel. */
  async function round(number: number): Promise<string[]> {
    if (number % 3 === 1) stage.rotate(number % 2);
    if (number % 2 === 1) stage.disturb(number);
    const results = await Promise.all([
      ...['one', 'two', 'kms'].map((name) => stage.connect(name)),
      stage.transfer(number % 2 === 0),
      number % 4 === 0 ? stage.runJob() : [],
    ]);
    return results.flat();
  }

  async function soak(seconds: number, least: number): Promise<readonly Sample[]> {
    const until = Date.now() + seconds * 1000;
    const samples: Sample[] = [];
    for (let number = 0; Date.now() < until || number < least; number++) {
      expect([number, await round(number)]).toEqual([number, []]);
      samples.push(stage.sample());
    }
    return samples;
  }

  /** Agents and their keepers end with their last key, but for the minute in which one waits for its first. */
  async function isOver(): Promise<void> {
    await stage.host.run(`touch -d '2 minutes ago' $(find ${stage.host.state} -name reserved) || true`);
    // The agent for pushed keys has a key for a minute: the short version does not wait for it.
    const isWaitedFor = (command: string): boolean => long > 60 || !command.includes('/ec2');
    const commands = (): string[] => stage.host.processes().map(({ command }) => command);
    const left = (): string[] => [...commands().filter(isWaitedFor), ...stage.sessions];
    for (let waited = 0; waited < 90_000 && left().length > 0; waited += 100) await sleep(100);
    expect(left()).toEqual([]);
  }

  it('works for two rounds', async () => {
    await soak(0, 2);
  });

  itInRest(
    'fails in nothing, and nothing grows',
    async () => {
      const samples = await soak(long, 12);
      const [warm, last] = [samples.slice(1, Math.max(3, samples.length >> 1)), samples.slice(-3)];
      const most = (of: readonly Sample[], name: keyof Sample): number =>
        Math.max(...of.map((sample) => sample[name]));
      const grown = (name: keyof Sample): number => most(last, name) - most(warm, name);
      report(samples);
      expect(grown('processes')).toBeLessThanOrEqual(3);
      expect(grown('descriptors')).toBeLessThanOrEqual(40);
      // Each of three keys has a lock, and notes of a failure and of a rotation, from the first of these on.
      expect(grown('files')).toBeLessThanOrEqual(12);
      // The agent for the key in KMS takes 65 of them, and may have ended just before each of the first samples.
      expect(grown('megabytes')).toBeLessThanOrEqual(90);
      await isOver();
    },
    long * 1000 + 240_000,
  );
});

function report(samples: readonly Sample[]): void {
  const file = process.env['SOAK_FILE'];
  if (file !== undefined) for (const sample of samples) appendFileSync(file, `${JSON.stringify(sample)}\n`);
}
