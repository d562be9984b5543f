/** Checks the settings and variables that take precedence over ssm-ssh, or prevent it. Pure. */
import type { Routes } from '../../src/host/credential-routes.ts';
import type { Configuration } from './configuration.ts';
import type { Finding } from './finding.ts';
import { checkHelpers } from './git-credential-helpers.ts';
import { checkRewrites } from './git-rewrites.ts';
import { checkIgnored, checkSections } from './git-sections.ts';
import { checkVariant, checkWinner } from './git-ssh-command.ts';
import { checkValues } from './git-values.ts';
import type { Environment } from './setting-remedy.ts';

export interface GitCheck {
  readonly configuration: Configuration;
  readonly routes: Routes;
  readonly env: Environment;
  /** The ssh command of this installation, as a word of sh. */
  readonly ours: string;
  /** The value of `credential.helper` for this installation. */
  readonly helper: string;
}

export function checkGitSettings(check: GitCheck): Finding[] {
  return [
    checkWinner(check),
    checkVariant(check),
    ...checkRewrites(check),
    ...checkHelpers(check),
    checkSections(check),
    checkIgnored(check),
    checkValues(check.configuration, check.env),
  ];
}
