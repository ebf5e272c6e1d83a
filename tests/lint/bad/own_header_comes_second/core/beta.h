// BETA: the second noun.
#pragma once
