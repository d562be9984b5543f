/** The region, the roles and the profile with which a command reads keys. Pure. */
import { parseRegion as parseName } from '../../src/keys/region-name.ts';
import { invalid, type Common } from './parse.ts';

export interface Account {
  readonly region: string | undefined;
  readonly roles: readonly string[];
  readonly profile: string | undefined;
  /** A cache on this machine that is asked instead of AWS. */
  readonly cache?: URL | undefined;
}

export function parseAccount(values: Pick<Common, 'region' | 'role-arn' | 'profile'>): Account {
  const { region, profile } = values;
  return { region: parseRegion(region), roles: parseRoles(values['role-arn']), profile };
}

/** @param place where it was written */
export function parseRegion(text: string | undefined, place = '--region'): string | undefined {
  return text === undefined ? undefined : parseName(text, place);
}

/** A chain: each role is assumed with the credentials of the one before. */
export function parseRoles(texts: readonly string[], place = '--role-arn'): string[] {
  const roles = texts.flatMap((text) => text.split(',').map((role) => role.trim()));
  const wrong = roles.find((role) => !/^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]+$/.test(role));
  if (wrong === undefined) return roles;
  throw invalid(`${place} is not the ARN of a role: "${wrong}"`, 'write arn:aws:iam::ACCOUNT:role/NAME');
}
