/** When the process that started this one began: the shell that starts ssh and waits for it. */
import { readFile } from 'node:fs/promises';

/** @source proc(5), `starttime`: ticks of USER_HZ, which is 100 on every architecture that Node runs on */
const tick = 10;

/** Milliseconds since 1970, a few of them too early rather than too late. undefined: this system does not tell. */
export async function startOfParent(): Promise<number | undefined> {
  const [own, parents] = await Promise.all([process.pid, process.ppid].map(ticks));
  if (own === undefined || parents === undefined || parents > own) return undefined;
  return performance.timeOrigin - (own - parents + 2) * tick;
}

async function ticks(pid: number): Promise<number | undefined> {
  const text = await readFile(`/proc/${String(pid)}/stat`, 'utf8').catch(() => '');
  // The name of the program may have spaces and parentheses in it.
  const field = text.replace(/.*\) /s, '').split(' ')[19];
  return field === undefined ? undefined : Number(field);
}
