// COMMIT: which state of the tree this program was built of, for whoever runs a failed seed again.
//
//   commit.cmake (writes it at each build) -> COMMIT -> main.cpp
#pragma once

namespace statefs::sim {

// Hexadecimal digits, with `-dirty` behind them where the tree had changes; `unknown` where there was no repository.
[[nodiscard]] const char* commit_name();

}  // namespace statefs::sim
