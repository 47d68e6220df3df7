// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { BatchLib } from "./Batch.sol";
import { IHardcapGuard } from "./interfaces/IHardcapGuard.sol";
import { ISpendPermissionManager } from "./interfaces/ISpendPermissionManager.sol";
import { PolicyLib } from "./Policy.sol";
import { TrailingWindow } from "./TrailingWindow.sol";

/// @title GuardReason
/// @notice The reason that an error of `IHardcapGuard.simulate` stands for.
library GuardReason {
  function fromError(bytes memory error) internal pure returns (IHardcapGuard.Reason) {
    // forge-lint: disable-next-line(unsafe-typecast): the selector is the first four bytes
    bytes4 selector = bytes4(error);
    if (selector == PolicyLib.UnknownPolicyVersion.selector) {
      return IHardcapGuard.Reason.UnknownPolicyVersion;
    }
    if (selector == PolicyLib.MalformedPolicy.selector) return IHardcapGuard.Reason.MalformedPolicy;
    if (selector == IHardcapGuard.WrongSpender.selector) return IHardcapGuard.Reason.WrongSpender;
    if (selector == IHardcapGuard.NativeToken.selector) return IHardcapGuard.Reason.NativeToken;
    if (selector == IHardcapGuard.DeadlinePassed.selector) return IHardcapGuard.Reason.DeadlinePassed;
    if (selector == IHardcapGuard.RevokedBy.selector) return IHardcapGuard.Reason.Revoked;
    if (selector == IHardcapGuard.PausedBy.selector) return IHardcapGuard.Reason.Paused;
    if (selector == BatchLib.MalformedBatch.selector) return IHardcapGuard.Reason.MalformedBatch;
    if (selector == IHardcapGuard.EmptyBatch.selector) return IHardcapGuard.Reason.EmptyBatch;
    if (selector == IHardcapGuard.NumberUsed.selector) return IHardcapGuard.Reason.NumberUsed;
    if (selector == IHardcapGuard.OverFloat.selector) return IHardcapGuard.Reason.OverFloat;
    if (selector == IHardcapGuard.NothingToFund.selector) return IHardcapGuard.Reason.NothingToFund;
    if (selector == IHardcapGuard.ZeroAmount.selector) return IHardcapGuard.Reason.ZeroAmount;
    if (selector == IHardcapGuard.OverPerCall.selector) return IHardcapGuard.Reason.OverPerCall;
    if (selector == IHardcapGuard.ForbiddenPayee.selector) return IHardcapGuard.Reason.ForbiddenPayee;
    if (selector == IHardcapGuard.WrongPayee.selector) return IHardcapGuard.Reason.WrongPayee;
    if (selector == IHardcapGuard.OverTotal.selector) return IHardcapGuard.Reason.OverTotal;
    if (selector == IHardcapGuard.OverDay.selector) return IHardcapGuard.Reason.OverDay;
    if (selector == TrailingWindow.OverWindow.selector) return IHardcapGuard.Reason.OverWindow;
    if (selector == IHardcapGuard.TicketUnexpected.selector) return IHardcapGuard.Reason.TicketUnexpected;
    if (selector == IHardcapGuard.TaskMissing.selector) return IHardcapGuard.Reason.TaskMissing;
    if (selector == IHardcapGuard.TicketMissing.selector) return IHardcapGuard.Reason.TicketMissing;
    if (selector == IHardcapGuard.TicketExpired.selector) return IHardcapGuard.Reason.TicketExpired;
    if (selector == IHardcapGuard.TicketInvalid.selector) return IHardcapGuard.Reason.TicketInvalid;
    if (selector == IHardcapGuard.OverTask.selector) return IHardcapGuard.Reason.OverTask;
    if (selector == ISpendPermissionManager.UnauthorizedSpendPermission.selector) {
      return IHardcapGuard.Reason.NotApproved;
    }
    if (selector == ISpendPermissionManager.BeforeSpendPermissionStart.selector) {
      return IHardcapGuard.Reason.NotStarted;
    }
    if (selector == ISpendPermissionManager.AfterSpendPermissionEnd.selector) {
      return IHardcapGuard.Reason.Ended;
    }
    if (selector == ISpendPermissionManager.SpendValueOverflow.selector) {
      return IHardcapGuard.Reason.OverAllowance;
    }
    if (selector == ISpendPermissionManager.ExceededSpendPermission.selector) {
      return IHardcapGuard.Reason.OverAllowance;
    }
    return IHardcapGuard.Reason.Other;
  }
}
