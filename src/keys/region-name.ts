/** Names of Regions, as people and environments write them. Pure. */
import { Failure } from '../errors.ts';

/** An Availability Zone or a Local Zone: `eu-west-1a`, `us-west-2-lax-1a`. */
const zone = /^([a-z]{2,}(?:-[a-z]+)+-\d+)(?:-[a-z]+-\d+)?[a-z]$/;

/** Whether it has the form of a name. AWS makes new Regions, so there is no list. */
export function isRegion(text: string): boolean {
  return /^[a-z]{2,}(-[a-z0-9]+)+$/.test(text) && !zone.test(text);
}

/**
 * @param place where it is written: `--region`, `AWS_REGION`
 * @throws INPUT_INVALID
 */
export function parseRegion(text: string, place: string): string {
  if (isRegion(text)) return text;
  const [, region] = zone.exec(text) ?? [];
  const hint =
    region === undefined
      ? 'write one, for example eu-west-1'
      : `that is an Availability Zone: write its region, ${region}`;
  throw new Failure('INPUT_INVALID', `${place} is not a region: "${text}"`, { hint });
}
