<?php

declare(strict_types=1);

return (new PhpCsFixer\Config())
    ->setRiskyAllowed(true)
    ->setUsingCache(false)
    ->setRules([
        '@PSR12' => true,
        'array_syntax' => ['syntax' => 'short'],
        'declare_strict_types' => true,
        'fully_qualified_strict_types' => true,
        'native_function_casing' => true,
        'no_superfluous_elseif' => true,
        'no_unused_imports' => true,
        'no_useless_else' => true,
        'ordered_class_elements' => ['order' => ['use_trait', 'case', 'constant_public', 'constant_private', 'property_public', 'property_private', 'construct']],
        'ordered_imports' => true,
        'single_quote' => true,
        'static_lambda' => true,
        'strict_comparison' => true,
        'strict_param' => true,
        'trailing_comma_in_multiline' => ['elements' => ['arguments', 'arrays', 'match', 'parameters']],
        'void_return' => true,
    ])
    // The class of before has no form of this kind.
    ->setFinder(PhpCsFixer\Finder::create()->in(__DIR__)->notName('RocketVpsRestore.php'));
