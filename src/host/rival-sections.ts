/** Sections of git's configuration with the same pattern. Pure. */
import { samePattern, type RepositoryPattern } from '../keys/routes.ts';
import type { ChosenKey } from './signing-settings.ts';

interface Offered extends Pick<ChosenKey, 'signs'> {
  readonly name: string;
  readonly section?: string;
  /** undefined: the default key. */
  readonly pattern?: RepositoryPattern;
}

/** @param warnings gets those about keys that rival each other */
export function offeredOf<K extends Offered>(keys: readonly K[], warnings: string[]): K[] {
  const offered = ofOneAgent(keys, warnings);
  const sharing = new Map<string, K[]>();
  for (const key of offered) {
    const pattern = patternOf(key);
    sharing.set(pattern, [...(sharing.get(pattern) ?? []), key]);
  }
  for (const [pattern, rivals] of sharing) {
    const { size } = new Set(rivals.map(({ name }) => name));
    if (size < 2) continue;
    const sections = rivals.map(shown).join(', ');
    warnings.push(
      `warning: ${size} keys are offered for ${pattern}, in the order written: the host takes the first that it knows (${sections})`,
    );
  }
  return offered;
}

/** ssh asks one agent. So of several keys for one repository those in the agent of the first are offered. */
function ofOneAgent<K extends Offered>(keys: readonly K[], warnings: string[]): K[] {
  const firsts = new Map<string, K>();
  return keys.filter((key) => {
    const pattern = patternOf(key);
    const first = firsts.get(pattern) ?? key;
    firsts.set(pattern, first);
    if (first === key || (!first.signs && !key.signs)) return true;
    warnings.push(
      `the section ${shown(key)} is ignored: ${shown(first)} names the same repository, its key is in another agent, and ssh asks one`,
    );
    return false;
  });
}

function patternOf({ pattern }: Offered): string {
  return pattern ? samePattern(pattern) : '';
}

/** The part before an @ may be a password. */
function shown({ section = '' }: Offered): string {
  return `[ssm "${section.slice(section.lastIndexOf('@') + 1)}"]`;
}
