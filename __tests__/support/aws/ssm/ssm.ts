/** Systems Manager's endpoint: the awsJson1_1 protocol, with Parameter Store's and Session Manager's operations. */
import { jsonAnswer, jsonCommonError, jsonMembers, jsonOperation, jsonRefusal } from '../wire/aws-json.ts';
import { authenticate, regionOf, type ApiOptions } from '../iam/caller.ts';
import { AwsError } from '../errors.ts';
import type { Service } from '../wire/service.ts';
import {
  resumeSession,
  startSession,
  terminateSession,
  type SessionApi,
  type SessionOperation,
} from '../session-manager/operations.ts';
import type { SsmStore } from './access.ts';
import { getParametersByPath } from './by-path.ts';
import { describeParameters } from './describe.ts';
import { describeInstanceInformation } from './instance-information.ts';
import { getParameter, getParameterHistory, getParameters, type SsmOperation } from './read.ts';
import {
  addTagsToResource,
  deleteParameter,
  labelParameterVersion,
  putParameter,
  unlabelParameterVersion,
} from './write.ts';

const OPERATIONS = new Map<string, SsmOperation>([
  ['GetParameter', getParameter],
  ['GetParameters', getParameters],
  ['GetParametersByPath', getParametersByPath],
  ['GetParameterHistory', getParameterHistory],
  ['DescribeParameters', describeParameters],
  ['PutParameter', putParameter],
  ['AddTagsToResource', addTagsToResource],
  ['LabelParameterVersion', labelParameterVersion],
  ['UnlabelParameterVersion', unlabelParameterVersion],
  ['DeleteParameter', deleteParameter],
]);

const SESSION_OPERATIONS = new Map<string, SessionOperation>([
  ['StartSession', startSession],
  ['ResumeSession', resumeSession],
  ['TerminateSession', terminateSession],
  ['DescribeInstanceInformation', describeInstanceInformation],
]);

export function systemsManager(store: SsmStore & SessionApi, options: ApiOptions): Service {
  return {
    identify(request) {
      const operation = `ssm:${jsonOperation(request, 'AmazonSSM') ?? 'Unknown'}`;
      return { service: 'ssm', operation, region: regionOf(request), parameters: jsonMembers(request) ?? {} };
    },
    async perform(request, { operation }, call) {
      const caller = authenticate(request, { ...options, service: 'ssm' });
      const { account, arn, roleArn, sessionName } = caller.principal;
      Object.assign(call, { account, principal: arn, roleArn, sessionName });
      const name = operation.slice('ssm:'.length);
      const work = OPERATIONS.get(name) ?? SESSION_OPERATIONS.get(name);
      if (work === undefined) throw new AwsError({ code: 'UnknownOperationException', message: '' });
      const input = jsonMembers(request);
      if (input === undefined) throw new AwsError({ code: 'SerializationException', message: '' });
      return jsonAnswer(await work(store, caller, input));
    },
    refuse: jsonRefusal,
    commonError: jsonCommonError,
  };
}
