// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Policy } from "../../../contracts/Policy.sol";
import { Ledger } from "./Ledger.sol";

/// @dev What meters should show, added up from everything that happened, one by one.
abstract contract Sums is Ledger {
  struct Metered {
    uint256 total;
    uint256 day;
    uint256 task;
    uint256 window;
  }

  function _counts(Fact memory fact, bytes32 grant) private pure returns (bool) {
    return fact.kind != Kind.Settlement && fact.grant == grant;
  }

  /// @dev The grant of the fact at `last`, up to it: what its permission's caps are compared with.
  function _sumsAt(Fact[] memory all, Policy[] memory policies, uint256 last)
    internal
    pure
    returns (Metered memory sums)
  {
    Fact memory now_ = all[last];
    uint256 window = policies[now_.known].window;
    for (uint256 i; i <= last; ++i) {
      Fact memory fact = all[i];
      if (!_counts(fact, now_.grant)) continue;
      Policy memory policy = policies[fact.known];
      sums.total += fact.amount;
      if (fact.time / 1 days == now_.time / 1 days) sums.day += fact.amount;
      if (policy.perTask != UNLIMITED && fact.task == now_.task) sums.task += fact.amount;
      // Exactly the seconds of a window that ends now.
      if (policy.window == window && fact.time + window > now_.time) sums.window += fact.amount;
    }
  }

  /// @dev A grant as of now; of the window what is in the four buckets of a third of it, rounded up.
  function _sumsOf(Fact[] memory all, Policy[] memory policies, bytes32 grant, bytes32 task, uint256 window)
    internal
    view
    returns (Metered memory sums)
  {
    uint256 bucket = (window + 2) / 3;
    for (uint256 i; i < all.length; ++i) {
      Fact memory fact = all[i];
      if (!_counts(fact, grant)) continue;
      Policy memory policy = policies[fact.known];
      sums.total += fact.amount;
      if (fact.time / 1 days == clock / 1 days) sums.day += fact.amount;
      if (policy.perTask != UNLIMITED && fact.task == task) sums.task += fact.amount;
      if (window == 0 || policy.window != window) continue;
      if (fact.time / bucket + 4 > clock / bucket) sums.window += fact.amount;
    }
  }

  /// @dev Under a permission, in SPM's current period.
  function _periodOf(uint256 index) internal view returns (uint256 sum) {
    Known storage k = known[index];
    if (clock < k.p.start || clock >= k.p.end) return 0;
    for (uint256 i; i < spends.length; ++i) {
      if (spends[i].known != index) continue;
      if ((spends[i].time - k.p.start) / k.p.period != (clock - k.p.start) / k.p.period) continue;
      sum += spends[i].amount;
    }
  }

  /// @dev What the purse of a permission's agent holds from it.
  function _floatOf(uint256 index) internal view returns (uint256) {
    Known storage k = known[index];
    address at = guard.purseOf(k.p.account, TOKEN, k.policy.grantId, k.policy.agent);
    if (purseIndexOf[at] == 0) return 0;
    KnownPurse storage purse = purses[purseIndexOf[at] - 1];
    return purse.funder == index ? purse.held : 0;
  }

  function _isUsedBy(Fact[] memory all, bytes32 grant, address by, uint256 number)
    internal
    pure
    returns (bool)
  {
    for (uint256 i; i < all.length; ++i) {
      if (all[i].kind == Kind.Settlement || all[i].number != number) continue;
      if (all[i].grant == grant && all[i].agent == by) return true;
    }
    return false;
  }

  /// @dev What left guard and purses to others than their account.
  function _moved() internal view returns (uint256 sum) {
    for (uint256 i; i < moves.length; ++i) {
      if (moves[i].to == address(guard)) continue;
      bool swept =
        purseIndexOf[moves[i].from] != 0 && moves[i].to == purses[purseIndexOf[moves[i].from] - 1].account;
      if (!swept) sum += moves[i].amount;
    }
  }

  function _booked(Fact[] memory all) internal pure returns (uint256 sum) {
    for (uint256 i; i < all.length; ++i) {
      sum += all[i].amount;
    }
  }
}
