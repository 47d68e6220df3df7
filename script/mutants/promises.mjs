// What breaks a promise in the contracts, or in what they rely on: the sentence of test/contracts/invariant that has to
// notice, by its words, then file, what stands there (once), what it becomes. Where `check` has to be broken
// as well, it is: otherwise the worlds would notice that the two differ, and the sentence would prove nothing.
const rules = 'contracts/GuardRules.sol'
const guard = 'contracts/HardcapGuard.sol'
const state = 'contracts/GuardState.sol'
const views = 'contracts/GuardViews.sol'
const purse = 'contracts/Purse.sol'
const spm = 'contracts/devnet/SpendPermissionManager.sol'

export const promises = [
  [
    'a permission moved more than its allowance',
    [spm, 'if (sum > p.allowance)', 'if (sum > 2 * uint256(p.allowance))'],
    [views, 'if (sum > permission.allowance)', 'if (sum > 2 * uint256(permission.allowance))'],
  ],
  [
    "another agent's number",
    [guard, 'grant.numbers[context.policy.agent]', 'grant.numbers[address(0)]'],
    [guard, 'grant.numbers[policy.agent]', 'grant.numbers[address(0)]'],
    [state, 'grant.numbers[agent]', 'grant.numbers[address(0)]'],
  ],
  [
    "another agent's purse: money",
    [
      guard,
      'IPurse(purse).noteFunding(context.permission);',
      'address last;\n    assembly { last := sload(0) sstore(0, purse) }\n    if (last != address(0)) IPurse(last).noteFunding(0);\n    IPurse(purse).noteFunding(context.permission);',
    ],
    [
      purse,
      'if (permission == fundedBy) return;',
      'if (permission == 0) _sweep(_arguments());\n    if (permission == fundedBy || permission == 0) return;',
    ],
  ],
  ["another one's pause or revocation", [state, 'msg.sender) & ~_PAUSED', 'msg.sender)']],
  ['over perCall', [rules, 'payment.amount > policy.perCall', 'false']],
  ['over total', [rules, 'if (total + amount > policy.total)', 'if (false)']],
  ['over perDay', [rules, 'if (daySpent + amount > policy.perDay)', 'if (false)']],
  ['over perDay', [rules, 'today << _DAY_OFFSET', '(today - 1) << _DAY_OFFSET']],
  [
    'over perWindow',
    ['contracts/TrailingWindow.sol', 'amount > limit || spent > limit - amount', 'amount > limit'],
  ],
  ['over perTask', [rules, 'uint256 limit = context.policy.perTask;', 'uint256 limit = _UNLIMITED;']],
  ['over the ticket', [rules, 'if (cap < limit) limit = cap;', '']],
  [
    'paid to somebody else',
    [rules, 'if (!PolicyLib.allows(policy.payees, payee, proof)) revert WrongPayee(payee);', ''],
  ],
  [
    'moved what no event tells',
    [guard, '_emitPaid(context, payment);', 'if (previous == address(0)) _emitPaid(context, payment);'],
  ],
  [
    'a number paid twice',
    [guard, 'if (bits & bit != 0) revert NumberUsed(number);', ''],
    [views, '_isUsed(grant, context.policy.agent, payment.number)', 'false'],
    [views, '_isUsed(grant, context.policy.agent, funding.number)', 'false'],
    [views, '|| _isBefore(batch, first, at, payment.number)', ''],
  ],
  ['a purse above maxFloat', [rules, 'if (target > maxFloat)', 'if (target > maxFloat + 1)']],
  [
    'a purse paid what came from elsewhere',
    [
      purse,
      '// Or a permission over one unit, with any payee, would set free what others had put here for theirs.\n    _sweep(_arguments());',
      '',
    ],
    [rules, 'balance = _floatOf(context, purse)', 'balance = IERC20(context.token).balanceOf(purse)'],
  ],
  ['paid after a stop', [rules, 'if (agentFlags & _REVOKED != 0) revert RevokedBy(policy.agent);', '']],
  ['paid after a stop', [rules, 'if (flags & _PAUSED != 0) revert PausedBy(account);', '']],
  [
    "the guard's balance",
    [
      guard,
      'noteFunding(context.permission);\n    context.spendCall.send(amount)',
      'noteFunding(context.permission);\n    context.spendCall.send(amount + 1)',
    ],
  ],
  ['meter: task', [views, 'spent.perTask = ', 'spent.perTask = 1 + ']],
  [
    'meter: window',
    [
      rules,
      'return TrailingWindow.record(ring, block.timestamp',
      'return TrailingWindow.record(ring, block.timestamp + 1 days',
    ],
  ],
]
