import{b as r}from"./parts/chunk-QXI2IC7Q.js";import"./parts/chunk-OZZKFT5O.js";import"./parts/chunk-EUKIPCYT.js";r();
