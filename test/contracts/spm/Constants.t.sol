// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { ISpendPermissionManager } from "../../../contracts/interfaces/ISpendPermissionManager.sol";
import { SpmTest } from "./SpmTest.sol";

/// @dev What is the same on every chain, and `receive`. Values are spelled out, not computed.
contract ConstantsTest is SpmTest {
  function test_default() public view {
    assertEq(SPM.PUBLIC_ERC6492_VALIDATOR(), 0xcfCE48B757601F3f351CB6f434CB0517aEEE293D);
    assertEq(SPM.MAGIC_SPEND(), 0x011A61C07DbF256A68256B1cB51A5e246730aB92);
    assertEq(SPM.NATIVE_TOKEN(), 0xEeeeeEeeeEeEeeEeEeEeeEEEeeeeEeeeeeeeEEeE);
  }

  function test_behavior_typehashes() public view {
    assertEq(
      SPM.SPEND_PERMISSION_TYPEHASH(), 0xc9fa0f0252014cf89ab0539e3bb3adcb76f93e6bb6494e8cc61c14e2761ee2e4
    );
    assertEq(
      SPM.SPEND_PERMISSION_BATCH_TYPEHASH(),
      0xe528cd8f39a864282e62a136876fbff89cfa2ebb001852b9f771aa0bc9ffc3ee
    );
    assertEq(
      SPM.PERMISSION_DETAILS_TYPEHASH(), 0xa6d83a7a5ee257b2660352f4f65fa4f2cf2faf7b853236961cca1ac6020c3838
    );
  }

  function test_behavior_topics() public pure {
    assertEq(
      ISpendPermissionManager.SpendPermissionApproved.selector,
      0x40a18f36db551498d122b5bfe203819b4c710502e7401e2bd6d2ccc6d2ceb558
    );
    assertEq(
      ISpendPermissionManager.SpendPermissionRevoked.selector,
      0xff59e520513907d7deffc74c82b5492b06b2988d7d03dacfd4995de47fe94c95
    );
    assertEq(
      ISpendPermissionManager.SpendPermissionUsed.selector,
      0xbcba65b462dfff1a0af642e2ccd28778c64fcb16da2132dabf6eee8906d6753c
    );
  }

  function test_behavior_eip712Domain(uint64 chain) public {
    chain = uint64(bound(chain, 1, type(uint64).max - 1));
    vm.chainId(chain);
    (
      bytes1 fields,
      string memory name,
      string memory version,
      uint256 chainId,
      address verifyingContract,
      bytes32 salt,
      uint256[] memory extensions
    ) = SPM.eip712Domain();
    assertEq(fields, bytes1(0x0f));
    assertEq(name, "Spend Permission Manager");
    assertEq(version, "1");
    assertEq(chainId, chain);
    assertEq(verifyingContract, 0xf85210B21cC50302F477BA56686d2019dC9b67Ad);
    assertEq(salt, 0);
    assertEq(extensions.length, 0);
  }

  /// @dev The code is placed without a constructor, so it must not carry anything that one would have set.
  function test_behavior_codeIsTheSameWhereverItIsDeployed() public {
    address elsewhere = makeAddr("elsewhere");
    vm.etch(elsewhere, address(SPM).code);
    ISpendPermissionManager other = ISpendPermissionManager(payable(elsewhere));
    assertEq(other.PUBLIC_ERC6492_VALIDATOR(), SPM.PUBLIC_ERC6492_VALIDATOR());
    assertEq(other.MAGIC_SPEND(), SPM.MAGIC_SPEND());
    (,,,, address verifyingContract,,) = other.eip712Domain();
    assertEq(verifyingContract, elsewhere);
  }

  /// @dev Nobody can send the native token outside of a spend, not the account either.
  function test_error_receiveOutsideOfSpend(address sender, uint256 amount) public {
    amount = bound(amount, 1, BALANCE);
    vm.deal(sender, amount);
    vm.prank(sender);
    (bool ok, bytes memory answer) = address(SPM).call{ value: amount }("");
    assertFalse(ok);
    assertEq(
      answer, abi.encodeWithSelector(ISpendPermissionManager.UnexpectedReceiveAmount.selector, amount, 0)
    );
  }

  /// @dev Nothing was expected, and nothing came.
  function test_behavior_receiveNothing() public {
    (bool ok,) = address(SPM).call("");
    assertTrue(ok);
  }
}
