/** Durations in OpenSSH's form. Pure. */

const unitSeconds: Readonly<Record<string, number>> = { '': 1, s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };
const duration = /^(?:\d+[smhdw])*\d+[smhdw]?$/i;

/**
 * `90s`, `15m`, `6h`, `1h30m`, or a number of seconds → seconds. undefined for other text, or a duration that is too
 * long for OpenSSH.
 *
 * @source sshd_config(5), "TIME FORMATS"
 */
export function parseLifetime(text: string): number | undefined {
  if (!duration.test(text)) return undefined;
  let seconds = 0;
  for (const [, count = '', unit = ''] of text.toLowerCase().matchAll(/(\d+)([smhdw]?)/g)) {
    seconds += Number(count) * (unitSeconds[unit] ?? 0);
  }
  return seconds <= 0x7fff_ffff ? seconds : undefined;
}
