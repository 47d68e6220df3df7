// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { ERC20 } from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @dev A token as it should be.
contract TestToken is ERC20("Test", "TEST") {
  function mint(address to, uint256 amount) external {
    _mint(to, amount);
  }
}

/// @dev Moves nothing and says so by returning false, where others revert.
contract FalseToken {
  function approve(address, uint256) external pure returns (bool) {
    return true;
  }

  function transferFrom(address, address, uint256) external pure returns (bool) {
    return false;
  }
}

/// @dev As USDT: succeeds without returning anything.
contract SilentToken {
  mapping(address => uint256) public balanceOf;
  mapping(address => mapping(address => uint256)) public allowance;

  function mint(address to, uint256 amount) external {
    balanceOf[to] += amount;
  }

  function approve(address spender, uint256 amount) external {
    allowance[msg.sender][spender] = amount;
  }

  function transferFrom(address from, address to, uint256 amount) external {
    allowance[from][msg.sender] -= amount;
    balanceOf[from] -= amount;
    balanceOf[to] += amount;
  }
}

/// @dev Answers ERC-165 with a fixed set of interfaces.
contract Erc165Token is TestToken {
  mapping(bytes4 => bool) public supportsInterface;

  constructor(bytes4[] memory ids) {
    for (uint256 i; i < ids.length; ++i) {
      supportsInterface[ids[i]] = true;
    }
  }
}

/// @dev Calls its hook in the middle of every transfer, as ERC-777 does.
contract HookToken is TestToken {
  address private _hook;
  bytes private _data;
  bool private _required;

  /// @param required Whether a failure of the hook fails the transfer.
  function setHook(address hook, bytes calldata data, bool required) external {
    (_hook, _data, _required) = (hook, data, required);
  }

  function transferFrom(address from, address to, uint256 amount) public override returns (bool) {
    address hook = _hook;
    if (hook != address(0)) {
      _hook = address(0); // once
      (bool ok,) = hook.call(_data);
      require(ok || !_required, "hook failed");
    }
    return super.transferFrom(from, to, amount);
  }
}
