/**
 * A mark in our errors for doctor, which starts our programs behind git: what a git host prints on the same standard error
 * could look like them.
 */

/** helper/ssm-ssh and helper/launch.sh read it, too. */
export const markVariable = '_SSM_MARK';

type Environment = Readonly<Record<string, string | undefined>>;

/** The program's name with the mark, if there is one: how its errors begin. */
export function markedName(program: string, env: Environment): string {
  return `${program}${env[markVariable] ?? ''}`;
}
