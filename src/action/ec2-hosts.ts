/** What is left of EC2 hosts when a job ends: the agent of their keys, its keeper, and connections of steps long over. */
import type { Process } from '../process/process-table.ts';
import type { JobFolder } from './job-folder.ts';

/**
 * They are known by the folder, whose name is random, on their command lines. An ssh that is ended ends its tunnel, which
 * ends its session at AWS.
 */
export function isOfEc2({ ec2 }: Pick<JobFolder, 'ec2'>): (process: Process) => boolean {
  return ({ command }) => command.includes(`${ec2.path}/`) || `${command} `.includes(` ${ec2.path} `);
}
