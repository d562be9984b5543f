import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { endProcesses } from '../../src/process/process-table.ts';

describe('processes that take a while to end', () => {
  it('get SIGTERM once, and are looked for after 5, 10, 20 and then each 40 milliseconds', async () => {
    const script = "trap 'echo got; sleep 0.4; exit' TERM; echo ready; while :; do sleep 0.02; done";
    const child = spawn('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
    await once(child.stdout, 'data');
    const looks: number[] = [];
    const found = await endProcesses(({ pid }) => {
      if (pid === process.pid) looks.push(performance.now());
      return pid === child.pid;
    });
    expect([found.map(({ pid }) => pid), said]).toEqual([[child.pid], 'ready\ngot\n']);
    const pauses = looks.slice(1).map((time, number) => time - (looks[number] ?? 0));
    // A timer of Node may end a millisecond early.
    const least = [4, 9, 19, ...pauses.slice(3).map(() => 39)];
    expect(pauses.filter((pause, number) => pause < (least[number] ?? 0))).toEqual([]);
  });
});
