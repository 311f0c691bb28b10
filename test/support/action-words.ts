import type { Action } from '../../operator/decide/view.ts';

/** An action in a few words. */
export function wordsOf(action: Action): string {
  if (action.do === 'event') return `event ${action.reason}`;
  if (action.do === 'create-set') return `create ${action.number} with ${action.replicas}`;
  if (action.do === 'scale-set') return `scale to ${action.replicas}`;
  if (action.do === 'mark') return `mark ${action.pod} ${action.going}`;
  return `${action.do} ${'pod' in action ? action.pod : ''}`.trim();
}
