// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Batch, BatchLib, Payment, Ticket } from "../../../contracts/Batch.sol";
import { IHardcapGuard } from "../../../contracts/interfaces/IHardcapGuard.sol";
import { ISpendPermissionManager } from "../../../contracts/interfaces/ISpendPermissionManager.sol";
import { ANY_PAYEE, Policy, PolicyLib } from "../../../contracts/Policy.sol";
import { Ledger } from "./Ledger.sol";

/// @dev Policies, permissions, batches and fundings as they come. Amounts are small, so that caps are met, and met exactly;
///      most are in order, so that much is paid, and some have a flaw.
abstract contract Terms is Ledger {
  uint256 internal lastNumber;
  uint256 private lastSalt;

  /* ---------------------------------------- permissions ---------------------------------------- */

  function _limit(uint256 least, uint256 below) private returns (uint112) {
    if (_chance(5)) return UNLIMITED;
    return uint112(_chance(25) ? _draw(least) : least + _draw(below));
  }

  /// @dev Rather of a grant and an agent that are not revoked for good.
  function _drawPolicy(address by) internal returns (Policy memory policy) {
    for (uint256 i; i < 4; ++i) {
      policy.grantId = grantIds[_draw(grantIds.length)];
      policy.agent = _chance(2) ? agent : agents[_draw(agents.length)];
      if (_chance(2)) policy.orchestrator = _chance(8) ? thief : orchestrator;
      (, bool revoked) = _stops(by, policy);
      if (!revoked) break;
      policy.orchestrator = address(0);
      if (i == 2 && grantIds.length < 8) grantIds.push(keccak256(abi.encode("grant", grantIds.length)));
    }
    (policy.perCall, policy.perDay, policy.total) = (_limit(8, 30), _limit(20, 100), _limit(40, 400));
    bool capsTasks = policy.orchestrator != address(0) && _chance(2);
    policy.perTask = capsTasks ? uint112(10 + _draw(60)) : UNLIMITED;
    policy.perWindow = UNLIMITED_WINDOW;
    if (_chance(2)) {
      policy.window = [uint32(1), 3600, 1 days, 7 days][_draw(4)];
      policy.perWindow = uint48(10 + _draw(100));
    }
    if (!_chance(4)) policy.maxFloat = uint112(1 + _draw(60));
    policy.payees = [rootOfAll, rootOfAll, rootOfOne, ANY_PAYEE][_draw(4)];
  }

  function _drawPermission(address by, bytes memory extraData)
    internal
    returns (ISpendPermissionManager.SpendPermission memory p)
  {
    p.account = by;
    p.spender = _chance(40) ? stranger : address(guard);
    p.token = TOKEN;
    p.allowance = uint160(1 + _draw(250));
    p.period = [uint48(1 hours), 1 days, 30 days, type(uint48).max][_draw(4)];
    p.start = uint48(_chance(8) ? clock + _draw(2 days) : clock - _draw(2 days));
    p.end = uint48((p.start > clock ? p.start : clock) + 1 + _draw(_chance(4) ? 1 days : 60 days));
    p.salt = ++lastSalt;
    p.extraData = extraData;
  }

  /// @dev As somebody would have it who asks another one to sign: any terms, or no terms at all.
  function _drawExtraData(address by) internal returns (bytes memory data) {
    Policy memory policy = _drawPolicy(by);
    if (_chance(2)) (policy.perCall, policy.perDay, policy.total) = (UNLIMITED, UNLIMITED, UNLIMITED);
    if (_chance(2)) (policy.agent, policy.payees) = (agents[_draw(4)], ANY_PAYEE);
    if (_chance(3)) policy.maxFloat = uint112(1 + _draw(1 << 40));
    if (_chance(4)) policy.replaces = known[_draw(known.length)].hash;
    data = PolicyLib.encode(policy);
    if (_chance(5)) data[_draw(data.length)] ^= bytes1(uint8(1 << _draw(8)));
    if (_chance(10)) data = _chance(2) ? bytes("") : abi.encode(_draw(type(uint256).max));
  }

  /* ---------------------------------------- batches ---------------------------------------- */

  /// @dev Of a payment: most often a new one, in one of four lanes that grow together.
  function _drawNumber() internal returns (uint256 number) {
    number = _chance(8) ? 1 + _draw(lastNumber + 1) : ++lastNumber;
    number |= (number & 3) << 254;
  }

  /// @dev What is left under the tightest cap, to the unit, or one more or less.
  function _edge(Known storage k, bytes32 task) private returns (uint112) {
    if (!k.decodable) return 1;
    IHardcapGuard.Meters memory left = guard.remaining(k.p, task);
    uint256 least = left.perCall;
    if (left.perDay < least) least = left.perDay;
    if (left.total < least) least = left.total;
    if (left.perTask < least) least = left.perTask;
    if (left.perWindow < least) least = left.perWindow;
    if (left.period < least) least = left.period;
    least += _draw(3);
    return least == 0 || least > UNLIMITED ? 0 : uint112(least - 1);
  }

  function _drawAmount(Known storage k, bytes32 task) internal returns (uint112) {
    uint256 what = _draw(20);
    if (what == 0) return uint112(_draw(uint256(UNLIMITED) + 1) >> _draw(112));
    if (what < 5) return _edge(k, task);
    return uint112(1 + _draw(10));
  }

  function _drawDeadline() private returns (uint48) {
    return uint48(_chance(25) ? clock - _draw(2) : clock + 1 + _draw(_chance(2) ? 1 days : 60 days));
  }

  function _drawTask(Known storage k) private returns (bytes32) {
    if (k.policy.perTask == UNLIMITED ? _chance(2) : _chance(20)) return 0;
    return keccak256(abi.encode("task", _draw(3)));
  }

  /// @dev By the orchestrator, if the policy asks for one: for this account, grant and task.
  function _drawTicket(Known storage k, bytes32 task) private returns (Ticket memory ticket) {
    if (k.policy.perTask == UNLIMITED ? !_chance(25) : _chance(25)) return ticket;
    (ticket.cap, ticket.deadline) = (uint112(1 + _draw(100)), _drawDeadline());
    address account_ = _chance(30) ? stranger : k.p.account;
    bytes32 digest =
      _ticketHash(account_, k.policy.grantId, _chance(30) ? bytes32(0) : task, ticket.cap, ticket.deadline);
    address signer = k.policy.orchestrator;
    ticket.signature = _signatureOf(_chance(30) ? thief : signer, digest);
  }

  function _drawPayment(Known storage k, bytes32 task, address previous)
    private
    returns (Payment memory payment)
  {
    payment.number = _drawNumber();
    payment.ref = keccak256(abi.encode(k.policy.grantId, payment.number));
    payment.amount = _drawAmount(k, task);
    uint256 index = k.policy.payees == rootOfOne && !_chance(15) ? 1 : _draw(payees.length);
    payment.payee = payees[index];
    if (previous != address(0) && _chance(2)) payment.payee = previous;
    else if (k.policy.payees == rootOfAll && !_chance(30)) payment.proof = proofs[index];
    if (_chance(k.policy.payees == ANY_PAYEE ? 4 : 30)) payment.payee = _drawStrangePayee(k);
  }

  function _drawStrangePayee(Known storage k) internal returns (address) {
    uint256 what = _draw(12);
    if (what == 0) return address(0);
    if (what == 1) return address(guard);
    if (what == 2) return address(SPM);
    if (what == 3) return TOKEN;
    if (what == 4) return guard.purseOf(k.p.account, TOKEN, k.policy.grantId, k.policy.agent);
    if (what == 5) return guard.purseOf(k.p.account, TOKEN, grantIds[_draw(2)], agents[_draw(4)]);
    if (what == 6) return k.p.account;
    return stranger;
  }

  /// @dev One payment, or up to four; some to one payee in a row.
  function _drawBatch(Known storage k) internal returns (bytes memory data) {
    Batch memory batch;
    batch.deadline = _drawDeadline();
    batch.task = _drawTask(k);
    batch.ticket = _drawTicket(k, batch.task);
    uint256 count = _chance(3) ? 2 + _draw(3) : 1;
    batch.payments = new Payment[](_chance(30) ? 0 : count);
    address previous;
    for (uint256 i; i < batch.payments.length; ++i) {
      batch.payments[i] = _drawPayment(k, batch.task, previous);
      previous = batch.payments[i].payee;
    }
    ticketCap = batch.ticket.cap;
    data = BatchLib.encode(batch);
    if (_chance(40)) data[_draw(data.length)] ^= 0x01;
    if (_chance(40)) data = bytes.concat(data, new bytes(1 + _draw(100)));
  }

  function _drawFunding(Known storage k) internal returns (IHardcapGuard.Funding memory funding) {
    (funding.deadline, funding.task, funding.number) = (_drawDeadline(), _drawTask(k), _drawNumber());
    funding.ref = keccak256(abi.encode(k.policy.grantId, funding.number));
    Ticket memory ticket = _drawTicket(k, funding.task);
    (funding.ticket, ticketCap) = (BatchLib.encode(ticket), ticket.cap);
    funding.target = k.policy.maxFloat;
    uint256 what = _draw(10);
    if (what == 0) ++funding.target;
    else if (what < 7 && funding.target != 0) funding.target = uint112(1 + _draw(funding.target));
  }
}
