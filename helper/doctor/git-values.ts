/** Checks that the values of `ssm.*` and of its variables can be read. Pure. */
import { Failure } from '../../src/errors.ts';
import { isProtected } from '../../src/git/listing.ts';
import { isChoice } from '../../src/host/compile.ts';
import { rolesIn } from '../../src/host/settings.ts';
import { parseCacheAddress } from '../../src/secrets/cache-address.ts';
import { parseLifetime } from '../../src/keys/lifetime.ts';
import { invalid } from '../command-line/parse.ts';
import { parseRegion, parseRoles } from '../command-line/account.ts';
import { parseWay } from '../proxy/way.ts';
import type { Configuration } from './configuration.ts';
import { failed, ok, warn, type Finding } from './finding.ts';
import {
  placeOfSetting,
  replaceSetting,
  unsetSetting,
  type Environment,
  type PlacedSetting,
} from './setting-remedy.ts';

const check = 'ssm settings';

interface Kind {
  readonly written: string;
  readonly variable: string;
  /** @throws INPUT_INVALID */
  readonly parse: (text: string, place: string) => void;
  /** The value to write: a placeholder, if only people know it. undefined: without the setting there is a default. */
  readonly instead: string | undefined;
}

const kinds: Readonly<Record<string, Kind>> = {
  region: { written: 'region', variable: 'SSM_SSH_REGION', parse: parseRegion, instead: 'REGION' },
  rolearn: {
    ...{ written: 'roleArn', variable: 'SSM_SSH_ROLE_ARN', instead: 'ROLE_ARN' },
    parse: (text, place) => parseRoles(rolesIn(text), place),
  },
  timeout: { written: 'timeout', variable: 'SSM_SSH_TIMEOUT', parse: parseTime, instead: undefined },
  keylifetime: {
    ...{ written: 'keyLifetime', variable: 'SSM_SSH_KEY_LIFETIME', parse: parseTime, instead: undefined },
  },
  cache: {
    ...{ written: 'cache', variable: 'SSM_SSH_CACHE', parse: parseCacheAddress },
    instead: 'http://localhost:2773',
  },
  via: { written: 'via', variable: 'SSM_SSH_VIA', parse: parseWay, instead: undefined },
  stricthostkeychecking: {
    ...{ written: 'strictHostKeyChecking', variable: 'SSM_SSH_STRICT_HOST_KEY_CHECKING', instead: 'yes' },
    parse: (text, place) => {
      if (!['yes', 'accept-new', 'no'].includes(text))
        throw invalid(`${place} cannot be "${text}"`, 'write yes, accept-new or no');
    },
  },
};

interface Value {
  readonly kind: Kind;
  readonly text: string;
  /** The variable, or the setting with its place. */
  readonly place: string;
  /** undefined: a variable. */
  readonly setting: PlacedSetting | undefined;
}

/** The values that count. */
export function checkValues(configuration: Configuration, env: Environment): Finding {
  const values = [...ofVariables(env), ...ofSettings(configuration, env)];
  for (const value of values) {
    try {
      value.kind.parse(value.text, value.place);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      return { ...failed(check, error), remedy: remedyFor(value, env) };
    }
  }
  const unchecked = values.find(({ kind, text }) => kind.instead === 'yes' && text === 'no');
  if (!unchecked) return ok(check, 'all values can be read');
  const detail = `${unchecked.place} is no: anybody in the network can take the place of a host`;
  return warn(check, detail, remedyFor(unchecked, env));
}

function ofVariables(env: Environment): Value[] {
  return Object.values(kinds).flatMap((kind) => {
    const text = env[kind.variable] ?? '';
    return text === '' ? [] : [{ kind, text, place: kind.variable, setting: undefined }];
  });
}

/** The last value of each name. A variable takes precedence over `[ssm]`, and a section over the variable. */
function ofSettings({ entries }: Configuration, env: Environment): Value[] {
  const last = new Map(
    entries
      .filter((entry) => isProtected(entry) || isChoice(entry))
      .map((entry) => [entry.name, entry] as const),
  );
  return [...last.values()].flatMap((setting) => {
    const [, section, variable = ''] = /^ssm\.(?:(.+)\.)?([^.]+)$/s.exec(setting.name) ?? [];
    const kind = kinds[variable];
    const { value: text = '' } = setting;
    if (!kind || text === '' || (section === undefined && env[kind.variable])) return [];
    const name = ['ssm', ...(section === undefined ? [] : [section]), kind.written].join('.');
    return [{ kind, text, place: `${name} (${placeOfSetting(setting)})`, setting }];
  });
}

function remedyFor({ kind, setting }: Value, env: Environment): string {
  const { instead, variable } = kind;
  if (setting)
    return instead === undefined ? unsetSetting(setting, env) : replaceSetting(setting, instead, env);
  return instead === undefined ? `unset ${variable}` : `export ${variable}=${instead}`;
}

function parseTime(text: string, place: string): void {
  if (parseLifetime(text) === undefined)
    throw invalid(`${place} is not a duration: "${text}"`, 'write 90s, 15m, 1h, or a number of seconds');
}
