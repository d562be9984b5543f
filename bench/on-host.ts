/** Measures commands on a host, each in a shell of its own. */
import { join } from 'node:path';
import type { Ec2Host } from '../__tests__/support/ec2-host.ts';
import { readTimes, type Way } from './measure.ts';

export interface HostCommand {
  readonly run: string;
  /** A command that is not measured. */
  readonly before?: string;
}

/** @throws if the command fails */
export async function succeed(host: Ec2Host, command: string): Promise<void> {
  const { code, stderr } = await host.run(command);
  if (code !== 0) throw new Error(`${command}\n${stderr}`);
}

/** The shell's own start is not measured. Processor time is that of the command's processes. */
export function waysOn(host: Ec2Host, commands: Readonly<Record<string, HostCommand>>): Way[] {
  const times = join(host.home, 'times');
  return Object.entries(commands).map(([name, { run, before }]) => async () => {
    if (before !== undefined) await succeed(host, before);
    await succeed(host, `TIMEFORMAT='%R %U %S'; exec 3>&2; { time { ${run}\n} 2>&3 3>&-; } 2>'${times}'`);
    return { [name]: readTimes(times) };
  });
}
