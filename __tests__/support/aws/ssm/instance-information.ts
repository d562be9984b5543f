/** DescribeInstanceInformation: the hosts whose Session Manager agent is connected. */
import { AwsError } from '../errors.ts';
import { refusalOf, type Caller } from '../iam/caller.ts';
import type { SessionApi, SessionOperation } from '../session-manager/operations.ts';
import type { JsonRecord } from '../wire/aws-json.ts';

/** One page; of the filters only `InstanceIds`. IAM cannot limit it to a host. */
export const describeInstanceInformation: SessionOperation = (api, caller, input) => {
  requirePermission(caller);
  const wanted = idsIn(input);
  const place = { account: caller.principal.account, region: caller.region };
  return Promise.resolve({
    InstanceInformationList: wanted.flatMap((id) => informationOf(api, id, place)),
  });
};

function requirePermission(caller: Caller): void {
  const action = 'ssm:DescribeInstanceInformation';
  const refusal = refusalOf(caller, { action, resource: '*' });
  if (refusal === undefined) return;
  const message = `${refusal.message} ${refusal.reason}`;
  throw new AwsError({ code: 'AccessDeniedException', message });
}

function idsIn({ Filters }: JsonRecord): string[] {
  const filters = (Filters ?? []) as { readonly Key?: string; readonly Values?: readonly string[] }[];
  return filters.flatMap(({ Key, Values = [] }) => (Key === 'InstanceIds' ? Values : []));
}

function informationOf(
  { sessions }: SessionApi,
  id: string,
  place: { readonly account: string; readonly region: string },
): JsonRecord[] {
  const agent = sessions.findAgent(id, place);
  if (!agent) return [];
  const { ping = 'Online', version = '3.3.1345.0', platform = 'Amazon Linux' } = agent.information ?? {};
  return [
    {
      ...{ InstanceId: id, PingStatus: ping, AgentVersion: version, IsLatestVersion: true },
      ...{ PlatformType: 'Linux', PlatformName: platform },
    },
  ];
}
