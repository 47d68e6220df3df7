// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @dev A token with as much of EIP-3009 as a purse asks for, that calls somebody in the middle of every transfer.
contract MockToken {
  mapping(address holder => uint256) public balanceOf;
  mapping(address holder => mapping(address spender => uint256)) public allowance;
  address private _target;
  bytes private _data;
  uint256 public calls;

  function mint(address to, uint256 amount) external {
    balanceOf[to] += amount;
  }

  function callDuringTransfer(address target, bytes calldata data) external {
    (_target, _data) = (target, data);
  }

  function approve(address spender, uint256 amount) external returns (bool) {
    allowance[msg.sender][spender] = amount;
    return true;
  }

  function transfer(address to, uint256 amount) external returns (bool) {
    return _transfer(msg.sender, to, amount);
  }

  function transferFrom(address from, address to, uint256 amount) external returns (bool) {
    allowance[from][msg.sender] -= amount;
    return _transfer(from, to, amount);
  }

  function _transfer(address from, address to, uint256 amount) private returns (bool) {
    if (_target != address(0)) {
      (address target, bytes memory data) = (_target, _data);
      _target = address(0);
      (bool ok,) = target.call(data);
      require(ok, "call during transfer");
      ++calls;
    }
    balanceOf[from] -= amount;
    balanceOf[to] += amount;
    return true;
  }
}
