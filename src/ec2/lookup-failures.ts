/** Errors for names that do not match exactly one running instance, with the possible instances. */
import { Failure } from '../errors.ts';
import { quoteForShell } from '../process/quote.ts';
import type { Instance } from './ec2-client.ts';
import type { InstanceName } from './host-name.ts';

type Tag = Extract<InstanceName, { kind: 'tag' }>;

/** Largest number of instances in a message. */
const listed = 10;

/** The value of the tag `Name`. */
export function nameOf({ Tags = [] }: Instance): string | undefined {
  return Tags.find(({ Key }) => Key === 'Name')?.Value || undefined;
}

export function unknownId(id: string, region: string, cause?: unknown): Failure {
  return new Failure('TARGET_NOT_FOUND', `there is no instance ${id} in ${region}`, {
    hint: `check the id, the region and the account: aws ec2 describe-instances --region ${region} --instance-ids ${quoteForShell(id)}`,
    cause,
  });
}

export function notRunning(
  id: string,
  state = 'not running',
  { region, cause }: { readonly region: string; readonly cause?: unknown },
): Failure {
  return new Failure('TARGET_NOT_FOUND', `the instance ${id} in ${region} is ${state}`, {
    hint: whatHelps(id, state, region),
    cause,
  });
}

/** @param found instances with the tag, none of them running */
export function noneRunning(tag: Tag, found: readonly Instance[], region: string): Failure {
  const what = `no running instance in ${region} has the tag ${tag.key}=${tag.value}`;
  if (found.length === 0) {
    const filter = quoteForShell(`Name=tag:${tag.key},Values=${tag.value}`);
    return new Failure('TARGET_NOT_FOUND', what, {
      hint: `check the tag (it is case-sensitive), the region and the account: aws ec2 describe-instances --region ${region} --filters ${filter}`,
    });
  }
  const states = list(found, (instance) => `${shortly(instance)} is ${read(instance).state}`);
  const usable = found.find(({ State }) => !gone.has(State?.Name ?? '')) ?? found[0];
  const { id, state } = read(usable ?? {});
  return new Failure('TARGET_NOT_FOUND', `${what}: ${states}`, { hint: whatHelps(id, state, region) });
}

/** @param running more than one */
export function ambiguous(tag: Tag, running: readonly Instance[], region: string): Failure {
  const candidates = list(running, (instance) => {
    const { PrivateIpAddress = 'no private address', LaunchTime } = instance;
    const since = LaunchTime ? `, launched ${LaunchTime.toISOString().replace(/\.\d+Z$/, 'Z')}` : '';
    return `${shortly(instance)}, ${PrivateIpAddress}${since}`;
  });
  const what = `${running.length} running instances in ${region} have the tag ${tag.key}=${tag.value}`;
  return new Failure('TARGET_AMBIGUOUS', `${what}: ${candidates}`, {
    hint: `use the id of the instance, e.g. ${read(running[0] ?? {}).id}, or a tag that only this instance has`,
  });
}

function list(instances: readonly Instance[], line: (instance: Instance) => string): string {
  const rest = instances.length - listed;
  const lines = instances.slice(0, listed).map(line);
  return [...lines, ...(rest > 0 ? [`and ${rest} more`] : [])].join('; ');
}

/** `i-0123456789abcdef0 (web-1)` */
function shortly(instance: Instance): string {
  // The tag's text is foreign: control characters would break the line.
  const name = nameOf(instance)?.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ');
  const { id } = read(instance);
  return name === undefined ? id : `${id} (${name})`;
}

function read({ InstanceId = 'of unknown id', State }: Instance): { id: string; state: string } {
  return { id: InstanceId, state: State?.Name ?? 'in an unknown state' };
}

const gone: ReadonlySet<string> = new Set(['shutting-down', 'terminated']);

function whatHelps(id: string, state: string, region: string): string {
  const which = `--region ${region} --instance-ids ${id}`;
  const start = `aws ec2 start-instances ${which}`;
  if (gone.has(state)) return 'it no longer exists: name another instance';
  if (state === 'pending') return `wait until it runs: aws ec2 wait instance-running ${which}`;
  if (state === 'stopping')
    return `start it when it has stopped: aws ec2 wait instance-stopped ${which} && ${start}`;
  return `start it: ${start}`;
}
