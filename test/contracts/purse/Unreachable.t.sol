// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { ISpendPermissionManager } from "../../../contracts/interfaces/ISpendPermissionManager.sol";
import { Policy, PolicyLib } from "../../../contracts/Policy.sol";
import { MockAgent } from "./mocks/MockAgent.sol";
import { MockGuard } from "./mocks/MockGuard.sol";
import { PurseTest } from "./PurseTest.sol";

/// @dev Where the guard would never bring a purse: behind a guard that checks nothing. And agents that are contracts,
///      which that guard lets one fund in one line.
contract PurseUnreachableTest is PurseTest {
  bytes32 private constant _ERC6492 = 0x6492649264926492649264926492649264926492649264926492649264926492;

  MockGuard private _mock;

  function setUp() public override {
    super.setUp();
    _mock = new MockGuard();
    purse = _mock.deploy(account, address(USDC), GRANT, agent);
    _note(_mocked(_policy()));
  }

  function test_default() public {
    _pays(_payment(), _blob(_payment(), _mocked(_policy())));
  }

  /* ---------------------------------------- states ---------------------------------------- */

  function test_error_neverFunded() public {
    _mock.note(purse, 0);
    _refuses(_payment(), _blob(_payment(), _mocked(_policy())));
  }

  function test_error_notStarted() public {
    ISpendPermissionManager.SpendPermission memory p = _mocked(_policy());
    p.start = START + 10;
    _note(p);
    Payment memory payment = _payment();
    vm.warp(START + 9);
    _refuses(payment, _blob(payment, p));
    vm.warp(START + 10);
    _pays(payment, _blob(payment, p));
  }

  function test_error_paused() public {
    _mock.stop(true, false);
    _refuses(_payment(), _blob(_payment(), _mocked(_policy())));
  }

  function test_error_revoked() public {
    _mock.stop(false, true);
    _refuses(_payment(), _blob(_payment(), _mocked(_policy())));
  }

  function test_error_revokedBySpender() public {
    _mock.revokeWithSpm(SPM, _mocked(_policy()));
    _refuses(_payment(), _blob(_payment(), _mocked(_policy())));
  }

  /// @dev Fails closed, too: the token takes a revert for a no.
  function test_error_malformedPolicy() public {
    ISpendPermissionManager.SpendPermission memory p = _mocked(_policy());
    p.extraData[0] = 0x02;
    _note(p);
    bytes32 hash = _digest(_payment());
    bytes memory blob = _blob(_payment(), p);
    vm.expectRevert(abi.encodeWithSelector(PolicyLib.UnknownPolicyVersion.selector, 2));
    purse.isValidSignature(hash, blob);
    vm.expectRevert("FiatTokenV2: invalid signature");
    _settle(_payment(), blob);
  }

  /* ---------------------------------------- agents that are contracts ---------------------------------------- */

  function test_behavior_contractAgent(bytes calldata signature) public {
    vm.assume(signature.length < 32 || bytes32(signature[signature.length - 32:]) != _ERC6492);
    MockAgent contractAgent = _withContractAgent();
    ISpendPermissionManager.SpendPermission memory p = _mocked(_policyOf(address(contractAgent)));
    Payment memory payment = _payment();
    bytes memory blob = _blob(payment, p, _proof(0), signature);
    _refuses(payment, blob);
    contractAgent.accept(_digest(payment), signature);
    _pays(payment, blob);
  }

  /// @dev Its signature may be of any length, but a blob of 65 bytes is an EOA's signature to a token, and one with the
  ///      suffix of ERC-6492 is that of a contract to come.
  function test_error_contractAgentWithWhatIsTakenForSomethingElse() public {
    MockAgent contractAgent = _withContractAgent();
    bytes memory signature = new bytes(32);
    contractAgent.accept(_cancelDigest("nonce"), signature);
    _refuses(_cancelDigest("nonce"), abi.encodePacked(uint8(2), bytes32("nonce"), signature));

    signature = new bytes(31);
    contractAgent.accept(_cancelDigest("nonce"), signature);
    bytes memory blob = abi.encodePacked(uint8(2), bytes32("nonce"), signature);
    assertEq(purse.isValidSignature(_cancelDigest("nonce"), blob), ACCEPTED);

    signature = abi.encode(_ERC6492, 1);
    contractAgent.accept(_cancelDigest("nonce"), signature);
    blob = abi.encodePacked(uint8(2), bytes32("nonce"), signature);
    assertEq(purse.isValidSignature(_cancelDigest("nonce"), blob), ACCEPTED);

    signature = abi.encode(1, _ERC6492);
    contractAgent.accept(_cancelDigest("nonce"), signature);
    blob = abi.encodePacked(uint8(2), bytes32("nonce"), signature);
    _refuses(_cancelDigest("nonce"), blob);
  }

  /// @dev A revert of the agent's is a no.
  function test_error_revertingAgent() public {
    MockAgent contractAgent = _withContractAgent();
    Payment memory payment = _payment();
    _refuses(payment, _blob(payment, _mocked(_policyOf(address(contractAgent)))));
  }

  /* ---------------------------------------- helpers ---------------------------------------- */

  function _policyOf(address policyAgent) private view returns (Policy memory policy) {
    policy = _policy();
    policy.agent = policyAgent;
  }

  function _mocked(Policy memory policy)
    private
    view
    returns (ISpendPermissionManager.SpendPermission memory p)
  {
    p = _permission(policy);
    p.spender = address(_mock);
  }

  function _note(ISpendPermissionManager.SpendPermission memory p) private {
    _approve(p);
    _mock.note(purse, SPM.getHash(p));
    _mint(address(purse), FLOAT);
  }

  function _withContractAgent() private returns (MockAgent contractAgent) {
    contractAgent = new MockAgent();
    purse = _mock.deploy(account, address(USDC), GRANT, address(contractAgent));
    _note(_mocked(_policyOf(address(contractAgent))));
  }
}
