// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Test, Vm } from "forge-std/Test.sol";

import { CoinbaseSmartWallet } from "../../../contracts/devnet/CoinbaseSmartWallet.sol";
import { CoinbaseSmartWalletFactory } from "../../../contracts/devnet/CoinbaseSmartWalletFactory.sol";
import { MagicSpend } from "../../../contracts/devnet/MagicSpend.sol";
import { PublicERC6492Validator } from "../../../contracts/devnet/PublicERC6492Validator.sol";
import { SpendPermissionManager } from "../../../contracts/devnet/SpendPermissionManager.sol";
import { ISpendPermissionManager } from "../../../contracts/interfaces/ISpendPermissionManager.sol";
import { TestToken } from "./mocks/Tokens.sol";

/// @dev The ground of every SPM test: the stand-ins at their canonical addresses as on an offline Base, one smart
///      wallet with an EOA owner, which SPM owns too, and one valid permission that has just started.
abstract contract SpmTest is Test {
  ISpendPermissionManager internal constant SPM =
    ISpendPermissionManager(payable(0xf85210B21cC50302F477BA56686d2019dC9b67Ad));
  PublicERC6492Validator internal constant VALIDATOR =
    PublicERC6492Validator(0xcfCE48B757601F3f351CB6f434CB0517aEEE293D);
  MagicSpend internal constant MAGIC_SPEND = MagicSpend(payable(0x011A61C07DbF256A68256B1cB51A5e246730aB92));
  CoinbaseSmartWalletFactory internal constant FACTORY =
    CoinbaseSmartWalletFactory(0x0BA5ED0c6AA8c49038F819E587E2633c4A9F428a);
  address internal constant NATIVE = 0xEeeeeEeeeEeEeeEeEeEeeEEEeeeeEeeeeeeeEEeE;

  uint48 internal constant START = 1_800_000_000;
  uint48 internal constant PERIOD = 1 days;
  /// @dev Ten periods and a last one that is cut to half a day.
  uint48 internal constant END = START + 10 * PERIOD + PERIOD / 2;
  uint160 internal constant ALLOWANCE = 1000;
  uint256 internal constant BALANCE = 1_000_000;

  address internal owner;
  uint256 internal ownerKey;
  address internal spender = makeAddr("spender");
  CoinbaseSmartWallet internal wallet;
  address internal account;
  TestToken internal token;

  function setUp() public virtual {
    vm.chainId(8453);
    vm.warp(START);
    vm.etch(address(SPM), type(SpendPermissionManager).runtimeCode);
    vm.etch(address(VALIDATOR), type(PublicERC6492Validator).runtimeCode);
    vm.etch(address(MAGIC_SPEND), type(MagicSpend).runtimeCode);
    vm.etch(address(FACTORY), type(CoinbaseSmartWalletFactory).runtimeCode);
    vm.etch(FACTORY.implementation(), type(CoinbaseSmartWallet).runtimeCode);

    (owner, ownerKey) = makeAddrAndKey("owner");
    wallet = FACTORY.createAccount(_owners(), 0);
    account = address(wallet);
    vm.prank(account);
    wallet.addOwnerAddress(address(SPM));

    token = new TestToken();
    token.mint(account, BALANCE);
    vm.deal(account, BALANCE);
  }

  /* ---------------------------------------- permissions ---------------------------------------- */

  function _permission() internal view returns (ISpendPermissionManager.SpendPermission memory) {
    return ISpendPermissionManager.SpendPermission({
      account: account,
      spender: spender,
      token: address(token),
      allowance: ALLOWANCE,
      period: PERIOD,
      start: START,
      end: END,
      salt: 1,
      extraData: "extra"
    });
  }

  function _nativePermission() internal view returns (ISpendPermissionManager.SpendPermission memory p) {
    p = _permission();
    p.token = NATIVE;
  }

  /// @dev Any fields, made into a permission of the wallet that can be approved.
  function _valid(ISpendPermissionManager.SpendPermission memory p)
    internal
    view
    returns (ISpendPermissionManager.SpendPermission memory)
  {
    p.account = account;
    p.token = address(token);
    if (p.spender == address(0)) p.spender = spender;
    p.allowance = uint160(bound(p.allowance, 1, type(uint160).max));
    p.period = uint48(bound(p.period, 1, type(uint48).max));
    p.start = uint48(bound(p.start, 0, type(uint48).max - 1));
    p.end = uint48(bound(p.end, uint256(p.start) + 1, type(uint48).max));
    return p;
  }

  function _approved() internal returns (ISpendPermissionManager.SpendPermission memory) {
    return _approved(_permission());
  }

  function _approved(ISpendPermissionManager.SpendPermission memory p)
    internal
    returns (ISpendPermissionManager.SpendPermission memory)
  {
    vm.prank(p.account);
    assertTrue(SPM.approve(p), "approve");
    return p;
  }

  function _revoked(ISpendPermissionManager.SpendPermission memory p) internal {
    vm.prank(p.account);
    SPM.revoke(p);
  }

  function _spend(ISpendPermissionManager.SpendPermission memory p, uint160 value) internal {
    vm.prank(p.spender);
    SPM.spend(p, value);
  }

  function _expectSpendError(
    ISpendPermissionManager.SpendPermission memory p,
    uint160 value,
    bytes memory reason
  ) internal {
    vm.expectRevert(reason);
    _spend(p, value);
  }

  /* ---------------------------------------- hashes, computed apart from SPM ---------------------------------------- */

  function _separator() internal view returns (bytes32) {
    return keccak256(
      abi.encode(
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
        keccak256("Spend Permission Manager"),
        keccak256("1"),
        block.chainid,
        0xf85210B21cC50302F477BA56686d2019dC9b67Ad
      )
    );
  }

  function _hash(ISpendPermissionManager.SpendPermission memory p) internal view returns (bytes32) {
    bytes32 structHash = keccak256(
      abi.encode(
        keccak256(
          "SpendPermission(address account,address spender,address token,uint160 allowance,uint48 period,uint48 start,uint48 end,uint256 salt,bytes extraData)"
        ),
        p.account,
        p.spender,
        p.token,
        p.allowance,
        p.period,
        p.start,
        p.end,
        p.salt,
        keccak256(p.extraData)
      )
    );
    return keccak256(abi.encodePacked("\x19\x01", _separator(), structHash));
  }

  function _batchHash(ISpendPermissionManager.SpendPermissionBatch memory b) internal view returns (bytes32) {
    bytes memory details;
    for (uint256 i; i < b.permissions.length; ++i) {
      details = bytes.concat(
        details,
        keccak256(
          abi.encode(
            keccak256(
              "PermissionDetails(address spender,address token,uint160 allowance,uint256 salt,bytes extraData)"
            ),
            b.permissions[i].spender,
            b.permissions[i].token,
            b.permissions[i].allowance,
            b.permissions[i].salt,
            keccak256(b.permissions[i].extraData)
          )
        )
      );
    }
    bytes32 structHash = keccak256(
      abi.encode(
        keccak256(
          "SpendPermissionBatch(address account,uint48 period,uint48 start,uint48 end,PermissionDetails[] permissions)PermissionDetails(address spender,address token,uint160 allowance,uint256 salt,bytes extraData)"
        ),
        b.account,
        b.period,
        b.start,
        b.end,
        keccak256(details)
      )
    );
    return keccak256(abi.encodePacked("\x19\x01", _separator(), structHash));
  }

  /* ---------------------------------------- signatures ---------------------------------------- */

  function _owners() internal view returns (bytes[] memory owners) {
    owners = new bytes[](1);
    owners[0] = abi.encode(owner);
  }

  /// @dev The wallet's signature by its EOA owner, over the wallet's replay-safe hash.
  function _sign(bytes32 hash) internal view returns (bytes memory) {
    return _signAs(account, ownerKey, hash);
  }

  function _signAs(address signingWallet, uint256 key, bytes32 hash) internal view returns (bytes memory) {
    bytes32 separator = keccak256(
      abi.encode(
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
        keccak256("Coinbase Smart Wallet"),
        keccak256("1"),
        block.chainid,
        signingWallet
      )
    );
    bytes32 message = keccak256(abi.encode(keccak256("CoinbaseSmartWalletMessage(bytes32 hash)"), hash));
    bytes memory signature = _ecdsa(key, keccak256(abi.encodePacked("\x19\x01", separator, message)));
    return abi.encode(CoinbaseSmartWallet.SignatureWrapper(0, signature));
  }

  function _ecdsa(uint256 key, bytes32 hash) internal pure returns (bytes memory) {
    (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, hash);
    return abi.encodePacked(r, s, v);
  }

  /// @dev ERC-6492: how to prepare the account, around a signature that is valid then.
  function _wrap6492(address target, bytes memory data, bytes memory signature)
    internal
    pure
    returns (bytes memory)
  {
    return bytes.concat(
      abi.encode(target, data, signature),
      hex"6492649264926492649264926492649264926492649264926492649264926492"
    );
  }

  /* ---------------------------------------- events ---------------------------------------- */

  function _expectApproved(ISpendPermissionManager.SpendPermission memory p) internal {
    vm.expectEmit(address(SPM));
    emit ISpendPermissionManager.SpendPermissionApproved(_hash(p), p);
  }

  function _expectRevoked(ISpendPermissionManager.SpendPermission memory p) internal {
    vm.expectEmit(address(SPM));
    emit ISpendPermissionManager.SpendPermissionRevoked(_hash(p), p);
  }

  function _expectUsed(
    ISpendPermissionManager.SpendPermission memory p,
    uint48 start,
    uint48 end,
    uint160 value
  ) internal {
    vm.expectEmit(address(SPM));
    emit ISpendPermissionManager.SpendPermissionUsed(
      _hash(p), p.account, p.spender, p.token, ISpendPermissionManager.PeriodSpend(start, end, value)
    );
  }

  /* ---------------------------------------- assertions ---------------------------------------- */

  function _assertEq(
    ISpendPermissionManager.PeriodSpend memory actual,
    uint48 start,
    uint48 end,
    uint160 spend
  ) internal pure {
    assertEq(actual.start, start, "period start");
    assertEq(actual.end, end, "period end");
    assertEq(actual.spend, spend, "period spend");
  }

  /// @dev How many events SPM emitted since `vm.recordLogs`; those of expectations are the test's own.
  function _assertEvents(uint256 expected) internal {
    Vm.Log[] memory logs = vm.getRecordedLogs();
    uint256 actual;
    for (uint256 i; i < logs.length; ++i) {
      if (logs[i].emitter == address(SPM)) ++actual;
    }
    assertEq(actual, expected, "events");
  }
}
